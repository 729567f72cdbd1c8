/**
 * Before anything is measured: does this subject really do the work? One request that the backend answers in detail shows
 * the status, the body, the path and the key that were forwarded, and the line that the access log got for it.
 */
import { readFileSync } from 'node:fs'
import { request as requestHttp1 } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { request as requestHttps } from 'node:https'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { backendBody } from './subjects/backend.ts'
import type { Job, Running } from './subjects/subject.ts'
import { basePath, type Traffic, type WorkRequest } from './workload.ts'

interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

export async function verifySubject(name: string, job: Job, running: Running, traffic: Traffic): Promise<void> {
  if (traffic.expectedStatus === 400) return verifyMalformed(name, running, traffic)
  // The first request of an exhausted limit is still admitted; what counts is what the following ones get.
  if (job.limit === 'always') await ask(job, running, traffic.first)
  const answer = await askUntilReady(job, running, traffic)
  expect(name, 'status', answer.status, traffic.expectedStatus)
  if (traffic.expectedStatus === 200) verifyForwarding(name, job, traffic.first, answer)
  const path = traffic.first.path.split('?')[0] ?? ''
  if (running.logFile !== undefined) await verifyLog(name, running.logFile, [path, path.slice(basePath.length)])
}

/** No client library sends these; every one of them is sent as it is. */
async function verifyMalformed(name: string, running: Running, traffic: Traffic): Promise<void> {
  for (const raw of traffic.raw)
    expect(name, `status for\n${raw}`, await askRaw(running.port, raw), traffic.expectedStatus)
  if (running.logFile !== undefined) await verifyLog(name, running.logFile, ['400'])
}

function askRaw(port: number, raw: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', reject)
    socket.once('data', (chunk: Buffer) => {
      socket.destroy()
      resolve(Number(chunk.toString('latin1', 9, 12)))
    })
    socket.write(raw, 'latin1')
  })
}

/** Some gateways accept connections before they have read their routes. */
async function askUntilReady(job: Job, running: Running, traffic: Traffic): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    const answer = await ask(job, running, traffic.first)
    if (answer.status === traffic.expectedStatus || attempt === 50) return answer
    await sleep(100)
  }
}

function verifyForwarding(name: string, job: Job, request: WorkRequest, answer: Answer): void {
  expect(name, 'body', answer.body, backendBody)
  const seen = String(answer.headers['x-seen'] ?? '')
  expect(name, 'forwarded path', / path=(\S+)/.exec(seen)?.[1], request.path.slice(basePath.length))
  if (job.policies === 'bare' || name === 'traefik' || name === 'caddy') return
  if (!/^id=\S{8,}/.test(seen)) throw new Error(`${name} sends no x-request-id to the backend (it saw "${seen}").`)
  if (!/ key= /.test(seen)) throw new Error(`${name} passes the API key on to the backend.`)
}

/** Buffers are flushed within a second or two; the line must be there, be JSON, and speak of this request. */
async function verifyLog(name: string, logFile: string, marks: string[]): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const lines = readFileSync(logFile, 'utf8').split('\n')
    const line = lines.find((text) => marks.some((mark) => text.includes(mark)))
    if (line !== undefined && typeof JSON.parse(line) === 'object') return
    await sleep(100)
  }
  throw new Error(`${name} wrote no access log line with ${marks.join(' or ')} into ${logFile}.`)
}

function expect(name: string, what: string, actual: unknown, wanted: unknown): void {
  if (actual !== wanted)
    throw new Error(`${name}: ${what} is ${JSON.stringify(actual)}, expected ${JSON.stringify(wanted)}.`)
}

/** One request with the check header, by Node's own clients. */
export async function ask(job: Job, running: Running, request: WorkRequest): Promise<Answer> {
  return job.inbound === 'http2' ? askHttp2(running, request) : askHttp1(job.inbound === 'tls', running, request)
}

function askHttp1(tls: boolean, running: Running, work: WorkRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: running.port,
      method: work.method,
      path: work.path,
      headers: { ...Object.fromEntries(work.headers), 'X-Bench-Check': '1' },
      agent: false as const,
      rejectUnauthorized: false,
    }
    const request = (tls ? requestHttps : requestHttp1)(options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
    request.once('error', reject)
    request.end()
  })
}

function askHttp2(running: Running, work: WorkRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`http://127.0.0.1:${running.port}`)
    session.once('error', reject)
    const headers = work.headers.map(([name, value]) => [name === 'Host' ? ':authority' : name.toLowerCase(), value])
    const stream = session.request({
      ...Object.fromEntries(headers),
      ':method': work.method,
      ':path': work.path,
      'x-bench-check': '1',
    })
    let status = 0
    let received: Answer['headers'] = {}
    const chunks: Buffer[] = []
    stream.once('response', (fields) => {
      status = Number(fields[':status'])
      received = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]))
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.once('error', reject)
    stream.once('end', () => {
      session.close()
      resolve({ status, headers: received, body: Buffer.concat(chunks).toString() })
    })
  })
}

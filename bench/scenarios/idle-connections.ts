/** 10,000 clients that keep their connection open after one request: what each costs, and whether others still get served. */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { openFileLimit, residentBytes } from '../measure/process.ts'
import { median } from '../measure/statistics.ts'
import { megabytes, type Bar } from '../section.ts'
import type { RunningHeadgate } from '../subjects/headgate.ts'
import { standardJob, type Job } from '../subjects/subject.ts'
import { ask } from '../verify.ts'
import { formatHttp1, getRequest, requestPath } from '../workload.ts'
import { headgateScenario, withHeadgate, type Figures } from './headgate-only.ts'

const count = 10_000
const openingAtOnce = 100
const request = getRequest(requestPath(3, 3), ['X-Client', 'catalogue-web/4.2 (linux; x64) build-77'])

interface Idle {
  label: string
  residentBefore: number
  residentWith: number
  stillOpen: number
  answerBeforeMs: number
  answerWithMs: number
  mostMegabytes: number
}

export const idleConnections = headgateScenario('idle-connections', '10,000 idle connections', async (bench) => {
  if (openFileLimit() < count + 500) throw new Error(`only ${openFileLimit()} open files are allowed here (ulimit -n)`)
  const measured = [await measure(bench, 'http1', 120), await measure(bench, 'tls', 900)]
  return figures(measured)
})

function measure(bench: Bench, inbound: 'http1' | 'tls', mostMegabytes: number): Promise<Idle> {
  const job: Job = { ...standardJob, policies: 'bare', inbound }
  return withHeadgate(bench, job, {}, async (running) => {
    await answerTimeMs(job, running)
    const answerBeforeMs = await answerTimeMs(job, running)
    await sleep(2_000)
    const residentBefore = residentBytes(running.pids())
    const sockets = await openAll(running.port, inbound === 'tls')
    await sleep(3_000)
    const idle: Idle = {
      label: inbound === 'tls' ? 'TLS' : 'plain',
      residentBefore,
      residentWith: residentBytes(running.pids()),
      stillOpen: sockets.filter((socket) => !socket.destroyed && socket.readable).length,
      answerBeforeMs,
      answerWithMs: await answerTimeMs(job, running),
      mostMegabytes,
    }
    bench.say(`  ${idle.label}: ${megabytes(idle.residentBefore)} MB, then ${megabytes(idle.residentWith)} MB`)
    for (const socket of sockets) socket.destroy()
    return idle
  })
}

/** Median over fresh connections: what a newcomer waits. */
async function answerTimeMs(job: Job, running: RunningHeadgate): Promise<number> {
  const times: number[] = []
  for (let number = 0; number < 50; number++) {
    const startedAt = performance.now()
    const { status } = await ask(job, running, request)
    if (status !== 200) throw new Error(`a request was answered with ${status}`)
    times.push(performance.now() - startedAt)
  }
  return median(times)
}

async function openAll(port: number, tls: boolean): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: openingAtOnce }, () => openOne(port, tls)))))
  }
  return sockets
}

/** Opens a connection and waits for the answer to one request, so that it is idle as kept connections are. */
function openOne(port: number, tls: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = tls ? connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }) : connect(port, '127.0.0.1')
    socket.once('error', reject)
    socket.once('data', () => {
      socket.off('error', reject)
      // It may be closed on us later; that is counted, not thrown.
      socket.on('error', () => socket.destroy())
      socket.resume()
      resolve(socket)
    })
    socket.write(formatHttp1(request))
  })
}

function figures(measured: Idle[]): Figures {
  return {
    header: [
      'connections',
      'still open',
      'RSS MB before',
      'RSS MB with them',
      'KB each',
      'answer ms before',
      'answer ms with them',
    ],
    rows: measured.map((idle) => [
      idle.label,
      idle.stillOpen.toLocaleString('en'),
      megabytes(idle.residentBefore),
      megabytes(idle.residentWith),
      ((idle.residentWith - idle.residentBefore) / count / 1e3).toFixed(1),
      idle.answerBeforeMs.toFixed(2),
      idle.answerWithMs.toFixed(2),
    ]),
    bars: measured.flatMap(idleBars),
    notes: [
      'Each connection has had one request answered before it idles. Answer times are medians of 50 new connections.',
    ],
  }
}

function idleBars(idle: Idle): Bar[] {
  const growth = idle.residentWith - idle.residentBefore
  return [
    {
      what: `${idle.label}: memory above the idle process`,
      wanted: `< ${idle.mostMegabytes} MB`,
      measured: `${megabytes(growth)} MB with ${idle.stillOpen.toLocaleString('en')} open`,
      passed: growth < idle.mostMegabytes * 1e6 && idle.stillOpen === count,
    },
    {
      what: `${idle.label}: a request is answered in normal time`,
      wanted: '≤ 2 × the time before + 1 ms',
      measured: `${idle.answerWithMs.toFixed(2)} ms (before: ${idle.answerBeforeMs.toFixed(2)} ms)`,
      passed: idle.answerWithMs <= 2 * idle.answerBeforeMs + 1,
    },
  ]
}

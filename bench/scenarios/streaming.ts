/** A gigabyte each way over HTTP/1.1: what the second one does to memory, and whether a side that stalls stalls the other. */
import { request as requestHttp1 } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { cpuNanoseconds, freePort, residentBytes, startProcess, waitForPort } from '../measure/process.ts'
import { megabytes, type Bar } from '../section.ts'
import type { HeadgateConfiguration, RunningHeadgate } from '../subjects/headgate.ts'
import { loadCore, standardJob, type Job } from '../subjects/subject.ts'
import { headgateScenario, withHeadgate, type Figures } from './headgate-only.ts'

const job: Job = { ...standardJob, policies: 'bare' }
const gigabyte = 1e9
/** Socket buffers of the kernel on both sides may fill; what lies beyond them has been buffered by the gateway. */
const mostWhileStalled = 40e6

interface Flow {
  label: string
  residentAfter: number[]
  peak: number
  seconds: number
  cpuSeconds: number
}

export const streaming = headgateScenario('streaming', '1 GB streamed each way', async (bench) => {
  const backendPort = await freePort()
  const stderrFile = join(bench.place.directory, 'stream-backend.err')
  const backend = startProcess({
    name: 'stream-backend',
    command: process.execPath,
    args: [join(import.meta.dirname, '..', 'load', 'stream-backend.ts'), String(backendPort)],
    core: loadCore,
    stdoutFile: stderrFile,
    stderrFile,
  })
  try {
    await waitForPort(backendPort, backend, stderrFile)
    const adjust = (configuration: HeadgateConfiguration): HeadgateConfiguration => ({
      ...configuration,
      upstreams: [{ name: 'backend', targets: [{ url: `http://127.0.0.1:${backendPort}` }] }],
      apis: [
        {
          name: 'files',
          basePath: '/files',
          upstream: 'backend',
          policies: [],
          routes: [{ name: 'all', match: { path: '/*' } }],
        },
      ],
    })
    return await withHeadgate(bench, job, { adjust }, (running) => measure(bench, running))
  } finally {
    await backend.stop()
  }
})

async function measure(bench: Bench, running: RunningHeadgate): Promise<Figures> {
  const flows: Flow[] = []
  for (const [label, transfer] of [
    ['download', download],
    ['upload', upload],
  ] as const) {
    const flow = await twice(label, running, transfer)
    flows.push(flow)
    bench.say(`  ${label}: ${flow.residentAfter.map(megabytes).join(' MB, then ')} MB resident`)
  }
  const readerStalls = await stalledReader(running)
  const backendStalls = await stalledBackend(running)
  return {
    header: ['direction', 'RSS MB after 1 GB', 'RSS MB after 2 GB', 'peak MB', 'MB/s', 'CPU s/GB'],
    rows: flows.map((flow) => [
      flow.label,
      ...flow.residentAfter.map(megabytes),
      megabytes(flow.peak),
      (gigabyte / 1e6 / flow.seconds).toFixed(0),
      flow.cpuSeconds.toFixed(2),
    ]),
    bars: [
      ...flows.map(growthBar),
      stallBar('a stalled reader stalls the sender', readerStalls),
      stallBar('a stalled upstream stalls the client', backendStalls),
    ],
    notes: [],
  }
}

function growthBar(flow: Flow): Bar {
  const [first = Number.NaN, second = Number.NaN] = flow.residentAfter
  return {
    what: `${flow.label}: growth of resident memory by the second GB`,
    wanted: '< 20 MB',
    measured: `${((second - first) / 1e6).toFixed(1)} MB`,
    passed: second - first < 20e6,
  }
}

function stallBar(what: string, bytes: number): Bar {
  return {
    what,
    wanted: `≤ ${megabytes(mostWhileStalled)} MB on the way`,
    measured: `${(bytes / 1e6).toFixed(1)} MB, then nothing more`,
    passed: bytes <= mostWhileStalled,
  }
}

async function twice(
  label: string,
  running: RunningHeadgate,
  transfer: (port: number) => Promise<number>,
): Promise<Flow> {
  const flow: Flow = { label, residentAfter: [], peak: 0, seconds: 0, cpuSeconds: 0 }
  const sampling = setInterval(() => (flow.peak = Math.max(flow.peak, residentBytes(running.pids()))), 50)
  for (let number = 0; number < 2; number++) {
    const [cpuBefore, startedAt] = [cpuNanoseconds(running.pids()), performance.now()]
    const bytes = await transfer(running.port)
    if (bytes !== gigabyte) throw new Error(`${label}: ${bytes} bytes arrived instead of ${gigabyte}.`)
    flow.seconds = (performance.now() - startedAt) / 1000
    flow.cpuSeconds = (cpuNanoseconds(running.pids()) - cpuBefore) / 1e9
    flow.residentAfter.push(residentBytes(running.pids()))
  }
  clearInterval(sampling)
  return flow
}

function download(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = requestHttp1(
      { host: '127.0.0.1', port, path: `/files/send/${gigabyte}`, agent: false },
      (response) => {
        let bytes = 0
        response.on('data', (chunk: Buffer) => (bytes += chunk.length))
        response.once('end', () => resolve(bytes))
        response.once('error', reject)
      },
    )
    request.once('error', reject)
    request.end()
  })
}

/** Resolves with what the backend says it received. */
function upload(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Length': gigabyte, 'Content-Type': 'application/octet-stream' }
    const options = { host: '127.0.0.1', port, path: '/files/receive', method: 'POST', headers, agent: false as const }
    const request = requestHttp1(options, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.once('end', () => resolve(Number(/"receivedBytes":(\d+)/.exec(text)?.[1])))
    })
    request.once('error', reject)
    const block = Buffer.alloc(100_000, 'headgate ')
    let left = gigabyte
    const write = (): void => {
      while (left > 0) {
        left -= block.length
        if (!request.write(block)) return void request.once('drain', write)
      }
      request.end()
    }
    write()
  })
}

/** Asks for a gigabyte and never reads it: bytes that the backend could send until nothing moved for a second. */
async function stalledReader(running: RunningHeadgate): Promise<number> {
  const socket = connect(running.port, '127.0.0.1')
  socket.pause()
  socket.write(`GET /files/send/${gigabyte} HTTP/1.1\r\nHost: files.example\r\n\r\n`)
  const sent = await settled(async () => {
    const response = await fetch(`http://127.0.0.1:${running.port}/files/progress`)
    const progress: { sentBytes: number } = JSON.parse(await response.text())
    return progress.sentBytes
  })
  socket.destroy()
  return sent
}

/** Sends a gigabyte to a backend that never reads it: bytes that left the client until nothing moved for a second. */
async function stalledBackend(running: RunningHeadgate): Promise<number> {
  const socket = connect(running.port, '127.0.0.1')
  socket.on('error', () => socket.destroy())
  socket.write(`POST /files/stall HTTP/1.1\r\nHost: files.example\r\nContent-Length: ${gigabyte}\r\n\r\n`)
  const block = Buffer.alloc(100_000, 'headgate ')
  const fill = (): void => {
    while (socket.write(block)) continue
  }
  socket.on('drain', fill)
  fill()
  const bytes = await settled(() => Promise.resolve(socket.bytesWritten - socket.writableLength))
  socket.destroy()
  return bytes
}

async function settled(read: () => Promise<number>): Promise<number> {
  let last = -1
  for (let unchanged = 0; unchanged < 5;) {
    await sleep(200)
    const value = await read()
    unchanged = value === last ? unchanged + 1 : 0
    last = value
  }
  return last
}

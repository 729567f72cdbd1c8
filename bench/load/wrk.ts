/**
 * Saturation over plain HTTP/1.1 by wrk: the cheapest generator at hand (about 4 µs a request), closed loop, one request in
 * flight on each of 64 connections. wrk corrects its percentiles for coordinated omission with the mean interval.
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadCore } from '../subjects/subject.ts'
import type { Traffic } from '../workload.ts'
import { connections, type LoadResult, type Target } from './load.ts'

interface WrkSummary {
  requests: number
  micros: number
  unexpected: number
  broken: number
  p50: number
  p99: number
  max: number
}

/** Writes the script once; slices then only start wrk on it. */
export function writeWrkScript(directory: string, name: string, traffic: Traffic): string {
  const script = join(directory, `${name}.lua`)
  const data = join(directory, `${name}.requests`)
  writeFileSync(data, traffic.raw.map((request) => `${request.length}\n${request}`).join(''), 'latin1')
  writeFileSync(script, luaScript(data, traffic))
  return script
}

/**
 * A single request is static text to wrk, which then never enters Lua; several are chosen by a function. wrk counts every
 * status from 400 on as an error of its own, which is what refusals expect.
 */
function luaScript(data: string, traffic: Traffic): string {
  const choose =
    traffic.raw.length === 1
      ? 'wrk.format = function() return requests[1] end'
      : 'local turn = 0\nrequest = function() turn = turn % #requests + 1; return requests[turn] end'
  const unexpected = traffic.expectedStatus < 400 ? 's.errors.status' : 's.requests - s.errors.status'
  return `local requests = {}
local file = io.open("${data}", "rb")
while true do
  local length = file:read("*n", "*l")
  if not length then break end
  requests[#requests + 1] = file:read(length)
end
file:close()
${choose}
done = function(s, latency)
  io.write(string.format('\\nRESULT {"requests":%d,"micros":%d,"unexpected":%d,"broken":%d,"p50":%d,"p99":%d,"max":%d}\\n',
    s.requests, s.duration, ${unexpected}, s.errors.connect + s.errors.read + s.errors.write + s.errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
`
}

/** One slice; a connection that the gateway closes on purpose (malformed requests) is not a failure: wrk opens it again. */
export async function runWrk(script: string, target: Target, seconds: number): Promise<LoadResult> {
  const before = target.cpu()
  const wrk = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, `http://127.0.0.1:${target.port}/`]
  const output = await collect('taskset', ['-c', String(loadCore), ...wrk])
  const cpuNanoseconds = target.cpu() - before
  const line = /RESULT (\{.*\})/.exec(output)?.[1]
  if (line === undefined) throw new Error(`wrk did not finish:\n${output}`)
  const summary: WrkSummary = JSON.parse(line)
  return {
    completed: summary.requests,
    seconds: summary.micros / 1e6,
    failed: summary.unexpected + summary.broken,
    p50Ms: summary.p50 / 1000,
    p99Ms: summary.p99 / 1000,
    maxMs: summary.max / 1000,
    cpuNanoseconds,
  }
}

/** Runs a command and returns everything it printed; `onLine` sees its output as it comes. */
export function collect(command: string, args: string[], onText?: (text: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const take = (chunk: Buffer): void => {
      const text = chunk.toString()
      output += text
      onText?.(text)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.once('error', reject)
    child.once('close', () => resolve(output))
  })
}

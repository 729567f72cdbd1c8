/** Outputs that nobody reads hold up neither requests nor the end of the process, and what is lost is counted. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { get, startBackend, startGateway, startLoad, toDocument, until, type RunningChild } from './gateway-child.ts'

const slow = { timeout: 30_000 }

async function metric({ metricsPort }: RunningChild, series: string): Promise<number> {
  const { body } = await get(metricsPort, '/metrics')
  const line = body.split('\n').find((each) => each.startsWith(`${series} `))
  return Number(line?.slice(series.length + 1) ?? 0)
}

test('an access log that nobody reads holds up no request, and its lost lines are counted', slow, async () => {
  const url = await startBackend()
  // Long paths, so that the buffers of the pipe and of the log are full soon.
  const path = `/${'x'.repeat(7_000)}`
  const gateway = await startGateway({ document: toDocument(url), stdout: 'held' })
  const dropped = (): Promise<number> => metric(gateway, 'headgate_log_lines_dropped_total')
  const load = startLoad(gateway.port, 8, path)
  await until(async () => (await dropped()) > 0)
  const before = load.counts.get(200) ?? 0
  await until(() => (load.counts.get(200) ?? 0) > before + 100)
  await load.stop()
  expect([...load.counts.keys()]).toEqual([200])
  expect((await get(gateway.metricsPort, '/readyz')).status).toBe(200)
  // Whoever reads at last gets whole lines.
  let text = ''
  gateway.process.stdout?.on('data', (chunk) => (text += String(chunk)))
  const ended = new Promise((resolve) => gateway.process.stdout?.on('end', resolve))
  gateway.process.kill('SIGTERM')
  expect(await gateway.exited).toBe(0)
  await ended
  const lines = text.trimEnd().split('\n')
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ status: 200 })
})

test('events that nobody reads hold up nothing, and lost ones are counted', slow, async () => {
  const url = await startBackend()
  // Each connection is an event: it has no PROXY header, and comes from nobody who may send one.
  const gateway = await startGateway({
    document: toDocument(url, { gateway: { proxyProtocol: true, trustedProxies: ['192.0.2.1'] } }),
    flags: ['--log-level', 'debug'],
    stderr: 'held',
  })
  while ((await metric(gateway, 'headgate_events_dropped_total')) === 0) {
    const dropped = Array.from({ length: 200 }, () => get(gateway.port))
    expect((await Promise.all(dropped)).every(({ status }) => status === 0)).toBe(true)
  }
  expect((await get(gateway.metricsPort, '/healthz')).status).toBe(200)
  gateway.process.kill('SIGTERM')
  expect(await gateway.exited).toBe(0)
})

test('a gateway ends although nobody reads its access log', slow, async () => {
  const url = await startBackend()
  const gateway = await startGateway({ document: toDocument(url), stdout: 'held' })
  const load = startLoad(gateway.port, 8, `/${'x'.repeat(7_000)}`)
  await until(async () => (await metric(gateway, 'headgate_log_lines_dropped_total')) > 0)
  await load.stop()
  gateway.process.kill('SIGTERM')
  expect(await gateway.exited).toBe(0)
})

test('a reader that goes away, as `head` does, is no reason for a trace', slow, async () => {
  const command = join(import.meta.dirname, '../../bin/headgate.js')
  const child = spawn(process.execPath, [command, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  let errors = ''
  child.stderr.on('data', (text) => (errors += String(text)))
  const code = await new Promise((resolve) => child.once('close', resolve))
  expect([code, errors]).toEqual([0, ''])
})

/** Several workers that count as one, and workers that die or hang while the others serve. */
import { once } from 'node:events'
import { Agent } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { get, startBackend, startGateway, toDocument, until, type RunningChild } from './gateway-child.ts'

const slow = { timeout: 30_000 }

async function metric(gateway: RunningChild, name: string): Promise<number> {
  const { body } = await get(gateway.metricsPort, '/metrics')
  const lines = body.split('\n').filter((line) => line.startsWith(name))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

test('two workers admit exactly the limit that they share, also over a reload', slow, async () => {
  let served = 0
  const url = await startBackend((_request, response) => {
    served++
    response.end('ok')
  })
  const limit = {
    kind: 'rate-limit',
    config: { limit: 1_000, windowSeconds: 3_600, algorithm: 'fixed-window', countBy: 'route' },
  }
  const gateway = await startGateway({ document: toDocument(url, { policies: [limit] }) })
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  onTestFinished(() => agent.destroy())
  const ask = async (count: number): Promise<number[]> => {
    const answers = await Promise.all(Array.from({ length: count }, () => get(gateway.port, '/', agent)))
    return answers.map(({ status }) => status)
  }
  const statuses = await ask(700)
  gateway.write(toDocument(url, { policies: [limit], names: ['more'] }))
  const live = gateway.event('the configuration is live')
  statuses.push(...(await ask(200)))
  await live
  statuses.push(...(await ask(500)))
  expect([statuses.filter((status) => status === 200).length, served]).toEqual([1_000, 1_000])
  expect(statuses.filter((status) => status === 429)).toHaveLength(400)
  expect(await metric(gateway, 'headgate_workers ')).toBe(2)
  await until(async () => (await metric(gateway, 'headgate_requests_total')) === 1_400)
})

/** Runs code inside the first worker thread, by Node's inspector: the product has no door for that. */
async function runInWorker(gateway: RunningChild, expression: string): Promise<void> {
  await until(() => gateway.errors.includes('ws://'))
  const socket = new WebSocket(/ws:\/\/\S+/.exec(gateway.errors)?.[0] ?? '')
  onTestFinished(() => socket.terminate())
  await once(socket, 'open')
  const attached = new Promise<string>((resolve) => {
    socket.on('message', (bytes: Buffer) => {
      const { method, params } = JSON.parse(bytes.toString())
      if (method === 'NodeWorker.attachedToWorker' && params.workerInfo.title.includes('gateway-0'))
        resolve(params.sessionId)
    })
  })
  socket.send(JSON.stringify({ id: 1, method: 'NodeWorker.enable', params: { waitForDebuggerOnStart: false } }))
  const message = JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } })
  const sessionId = await attached
  socket.send(JSON.stringify({ id: 2, method: 'NodeWorker.sendMessageToWorker', params: { sessionId, message } }))
}

const inspected = { nodeFlags: ['--inspect=127.0.0.1:0'] }

async function expectAllServed(port: number): Promise<void> {
  const answers = await Promise.all(Array.from({ length: 20 }, () => get(port)))
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
}

test('a worker that dies is replaced and the other one serves', slow, async () => {
  const url = await startBackend()
  const gateway = await startGateway({ document: toDocument(url), ...inspected })
  await runInWorker(gateway, 'process.exit(7)')
  await gateway.event('a gateway worker is gone and is replaced')
  await until(async () => (await metric(gateway, 'headgate_workers ')) === 2)
  await expectAllServed(gateway.port)
  expect(await metric(gateway, 'headgate_worker_restarts_total')).toBe(1)
})

test(
  'a worker in an endless loop is ended and replaced; what it had breaks off, and the other one serves',
  slow,
  async () => {
    const url = await startBackend()
    const gateway = await startGateway({ document: toDocument(url), ...inspected })
    await runInWorker(gateway, 'for (;;);')
    let ended = false
    const replaced = gateway.event('a gateway worker does not answer and is ended').then(() => (ended = true))
    // Half of the connections come to the worker that hangs, and wait for its end.
    let meanwhile = 0
    const asked = Array.from({ length: 20 }, async () => {
      const { status } = await get(gateway.port)
      if (status === 200 && !ended) meanwhile++
    })
    await replaced
    await Promise.all(asked)
    expect(meanwhile).toBeGreaterThan(0)
    await until(async () => (await metric(gateway, 'headgate_workers ')) === 2)
    await expectAllServed(gateway.port)
  },
)

test('a worker that starts while the others take a configuration runs the same one', slow, async () => {
  const url = await startBackend()
  const gateway = await startGateway({ document: toDocument(url), ...inspected })
  await runInWorker(gateway, 'process.exit(7)')
  await gateway.event('a gateway worker is gone and is replaced')
  const policies = [{ kind: 'respond', when: "request.path != '/x'", config: { status: 418 } }]
  gateway.write(toDocument(url, { policies }))
  gateway.process.kill('SIGHUP')
  await gateway.event('the configuration is live')
  await until(async () => (await metric(gateway, 'headgate_workers ')) === 2)
  const statuses = new Set<number>()
  await until(async () => {
    statuses.clear()
    for (let i = 0; i < 20; i++) statuses.add((await get(gateway.port)).status)
    return statuses.size === 1
  })
  expect([...statuses]).toEqual([418])
})

/** Canaries as operators have them: real control, real gateways, steady traffic. */
import { Agent } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { get, until } from './gateway-child.ts'
import { startPlane, type Plane, type PlaneGateway } from './plane.ts'

const slow = { timeout: 90_000 }
const AT = '/workspaces/default'

async function publish(plane: Plane, policies: readonly object[], body: string): Promise<void> {
  const respond = { kind: 'respond', config: { body } }
  const settings = { name: '1', routes: [{ name: 'all', match: { path: '/*' }, policies: [...policies, respond] }] }
  const { status } = await plane.call('GET', `${AT}/apis/books/versions/1`)
  if (status === 404) {
    await plane.done('POST', `${AT}/apis`, { name: 'books' })
    await plane.done('POST', `${AT}/apis/books/versions`, { settings })
  } else {
    await plane.done('PUT', `${AT}/apis/books/versions/1`, { settings })
  }
  await plane.done('POST', `${AT}/apis/books/versions/1/revisions`)
}

async function deploy(plane: Plane, how: object = {}): Promise<string> {
  const { id } = await plane.done('POST', `${AT}/deployments`, { api: 'books', version: '1', ...how })
  if (typeof id !== 'string') throw new TypeError('a deployment has an id')
  return id
}

async function show(plane: Plane, id: string) {
  const { state, reason } = await plane.done('GET', `${AT}/deployments/${id}`)
  return { state, reason: typeof reason === 'string' ? reason : '' }
}

interface Seen {
  readonly atMs: number
  readonly status: number
}

/** Steady traffic of many callers over all gateways, until it is told to stop. */
function sendTraffic(gateways: readonly PlaneGateway[]) {
  const agent = new Agent({ keepAlive: true, maxSockets: 40 })
  onTestFinished(() => agent.destroy())
  const seen: Seen[] = []
  let callers = 0
  let isOver = false
  const under: Promise<unknown>[] = []
  const timer = setInterval(() => {
    const { port } = gateways[callers % gateways.length] ?? {}
    if (isOver || port === undefined) return
    const headers = { authorization: `Bearer ${callers++}` }
    under.push(get(port, '/x', agent, headers).then(({ status }) => seen.push({ atMs: performance.now(), status })))
  }, 2)
  return {
    seen,
    async stop() {
      isOver = true
      clearInterval(timer)
      await Promise.all(under)
    },
  }
}

const canary = {
  strategy: 'canary',
  plan: { steps: [{ percent: 10, pauseSeconds: 60 }], bounds: { minRequests: 120 } },
}
const broken = [{ kind: 'fault', config: { abort: { status: 503 } } }]

test('a bad canary is rolled back by itself within ten seconds, and few are harmed', slow, async () => {
  const plane = await startPlane()
  await publish(plane, [], 'old')
  await deploy(plane)
  const gateways = [await plane.addGateway(), await plane.addGateway()]
  const traffic = sendTraffic(gateways)
  await publish(plane, broken, 'new')
  const beganMs = performance.now()
  const id = await deploy(plane, canary)
  await until(async () => (await show(plane, id)).state === 'rolled-back')
  const rolledBackMs = performance.now()
  // A second for every gateway to hear of it, as any change may take.
  const last = () => traffic.seen.findLast(({ status }) => status === 503)?.atMs ?? 0
  await until(() => Promise.resolve(performance.now() - last() > 2_000))
  await traffic.stop()

  const endedMs = last()
  expect((await show(plane, id)).reason).toMatch(/^100 % of the answers were errors, with the old revision 0 %/)
  expect(rolledBackMs - beganMs).toBeLessThan(10_000)
  expect(endedMs - beganMs).toBeLessThan(10_000)
  const during = traffic.seen.filter(({ atMs }) => atMs >= beganMs && atMs <= endedMs)
  const harmed = during.filter(({ status }) => status !== 200).length
  expect(harmed).toBeGreaterThan(0)
  expect(harmed / during.length).toBeLessThanOrEqual(0.12)
  expect(traffic.seen.filter(({ atMs, status }) => atMs > endedMs && status !== 200)).toEqual([])
})

test('a canary goes on when control is killed in the middle of it', slow, async () => {
  const plane = await startPlane()
  await publish(plane, [], 'old')
  await deploy(plane)
  const gateways = [await plane.addGateway()]
  await publish(plane, broken, 'new')
  const id = await deploy(plane, canary)
  plane.control().process.kill('SIGKILL')
  await plane.control().exited
  const traffic = sendTraffic(gateways)
  await plane.startControl()
  await until(async () => (await show(plane, id)).state === 'rolled-back')
  const { seen } = traffic
  const count = seen.length
  await until(() => Promise.resolve(seen.length > count + 50 && seen.slice(-50).every(({ status }) => status === 200)))
  await traffic.stop()
  expect((await show(plane, id)).reason).toContain('100 % of the answers were errors')
})

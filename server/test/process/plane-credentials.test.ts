/** Keys of consumers on their way from the admin API to the gateways. */
import { expect, test } from 'vitest'
import { get, until } from './gateway-child.ts'
import { startPlane, type Plane, type PlaneGateway } from './plane.ts'

const slow = { timeout: 60_000 }
const credentials = '/workspaces/default/consumers/acme/credentials'
const there = 'environment=production'

async function issue(plane: Plane, name: string, more: object = {}): Promise<string> {
  const { key } = await plane.done('POST', `${credentials}?${there}`, { name, ...more })
  if (typeof key !== 'string') throw new TypeError('a new credential shows its key')
  return key
}

/** What each gateway answers to who presents the key. */
function ask(gateways: readonly PlaneGateway[], key: string): Promise<number[]> {
  return Promise.all(gateways.map(async ({ port }) => (await get(port, '/', false, { 'x-api-key': key })).status))
}

async function untilAll(gateways: readonly PlaneGateway[], key: string, status: number): Promise<void> {
  await until(async () => (await ask(gateways, key)).every((each) => each === status))
}

test('a key is replaced without a gap: both open for a while, then the new one alone', slow, async () => {
  const plane = await startPlane()
  await plane.publish({ policies: [{ kind: 'key-auth' }], consumers: [{ name: 'acme' }] })
  const gateways = [await plane.addGateway(), await plane.addGateway()]
  const old = await issue(plane, 'old')
  await untilAll(gateways, old, 200)

  const next = await issue(plane, 'next', { expireOthersAfterSeconds: 4 })
  await untilAll(gateways, next, 200)
  expect(await ask(gateways, old)).toEqual([200, 200])
  await untilAll(gateways, old, 401)
  expect(await ask(gateways, next)).toEqual([200, 200])
})

test('a revoked key opens nothing on any gateway, and stays closed while control is away', slow, async () => {
  const plane = await startPlane()
  await plane.publish({ policies: [{ kind: 'key-auth' }], consumers: [{ name: 'acme' }] })
  const gateways = [await plane.addGateway(), await plane.addGateway()]
  const [lost, kept] = [await issue(plane, 'lost'), await issue(plane, 'kept')]
  await untilAll(gateways, lost, 200)
  await plane.done('POST', `${credentials}/lost/revoke?${there}`)
  await untilAll(gateways, lost, 401)
  plane.control().process.kill('SIGKILL')
  await plane.control().exited
  expect([await ask(gateways, lost), await ask(gateways, kept)]).toEqual([
    [401, 401],
    [200, 200],
  ])
})

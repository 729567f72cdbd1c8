/** The keys of an installation that runs, rotated under its gateways. */
import { expect, test } from 'vitest'
import { isJsonObject, type JsonValue } from '../../src/kernel/json.ts'
import { get, startBackend, until, type GatewayChild } from './gateway-child.ts'
import { startPlane, type Plane } from './plane.ts'

async function publish(plane: Plane, path: string): Promise<void> {
  const url = await startBackend()
  const api = { name: 'books', version: '1', upstream: 'shop', routes: [{ name: 'all', match: { path } }] }
  const document = { headgate: 1, upstreams: [{ name: 'shop', targets: [{ url }] }], apis: [api] }
  await plane.done('POST', '/workspaces/default/apply', { document })
}

async function end(child: GatewayChild, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  child.process.kill(signal)
  await child.exited
}

async function isActive(plane: Plane, id: JsonValue | undefined): Promise<boolean> {
  const { items } = await plane.done('GET', '/keys')
  return (
    Array.isArray(items) && items.some((each) => isJsonObject(each) && each['id'] === id && each['state'] === 'active')
  )
}

test(
  'gateways follow a new signing key, also one that was away, and start from what they kept without control',
  { timeout: 90_000 },
  async () => {
    const plane = await startPlane()
    await publish(plane, '/first')
    const running = await plane.addGateway()
    const away = await plane.addGateway()
    expect((await get(running.port, '/first')).status).toBe(200)
    await end(away.process, 'SIGTERM')
    const { id } = await plane.done('POST', '/keys/rotate', { purpose: 'sign' })
    await until(() => isActive(plane, id))
    await publish(plane, '/second')
    await until(async () => (await get(running.port, '/second')).status === 200)
    const back = await away.restart()
    await until(async () => (await get(back.port, '/second')).status === 200)
    await end(plane.control(), 'SIGKILL')
    await end(running.process, 'SIGKILL')
    const again = await running.restart()
    expect((await get(again.port, '/second')).status).toBe(200)
  },
)

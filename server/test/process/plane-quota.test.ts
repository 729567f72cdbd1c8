/** One quota over several gateways, added up by control. */
import { Agent } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { get, until } from './gateway-child.ts'
import { startPlane, type Plane, type PlaneGateway } from './plane.ts'

const slow = { timeout: 60_000 }

/** An API under a quota that no run sees the end of, but for one in the last seconds of a year. */
async function publish(plane: Plane, limit: number): Promise<void> {
  const cost = "request.path == '/look' ? 0 : 1"
  await plane.publish({ policies: [{ kind: 'quota', config: { limit, period: 'year', countBy: 'route', cost } }] })
}

function agent(): Agent {
  const kept = new Agent({ keepAlive: true })
  onTestFinished(() => kept.destroy())
  return kept
}

async function ask({ port }: PlaneGateway, count: number): Promise<number[]> {
  const statuses: number[] = []
  for (let i = 0; i < count; i++) statuses.push((await get(port)).status)
  return statuses
}

/** What a gateway says is left; asking costs nothing. */
async function remaining({ port }: PlaneGateway): Promise<number> {
  const { headers } = await get(port, '/look')
  return Number(/r=(\d+)/.exec(String(headers['ratelimit']))?.[1])
}

test('three gateways under load grant together what one quota says, within five percent', slow, async () => {
  const limit = 2_400
  const plane = await startPlane()
  await publish(plane, limit)
  const gateways = [await plane.addGateway(), await plane.addGateway(), await plane.addGateway()]
  // Unevenly, and together the whole quota in some seconds.
  let granted = 0
  let refused = 0
  const pacesMs = [5, 8, 14]
  const kept = agent()
  await Promise.all(
    gateways.map(async ({ port }, index) => {
      for (let last = 0; last !== 429 || refused < 60;) {
        const [{ status }] = await Promise.all([
          get(port, '/', kept),
          new Promise((resolve) => setTimeout(resolve, pacesMs[index])),
        ])
        last = status
        if (status === 200) granted++
        else refused++
      }
    }),
  )
  expect(granted).toBeGreaterThan(limit * 0.95)
  expect(granted).toBeLessThan(limit * 1.05)
})

test('a kill of everything at once loses at most the counts of its last second', slow, async () => {
  const plane = await startPlane()
  await publish(plane, 1_000)
  const gateways = [await plane.addGateway(), await plane.addGateway()]
  for (const gateway of gateways) expect(new Set(await ask(gateway, 30))).toEqual(new Set([200]))
  // Each has heard of the other: whatever was counted is more than a second old.
  for (const gateway of gateways) await until(async () => (await remaining(gateway)) === 940)
  for (const { process } of [plane.control(), ...gateways.map((gateway) => gateway.process)]) process.kill('SIGKILL')
  await Promise.all([plane.control().exited, ...gateways.map((gateway) => gateway.process.exited)])

  await plane.startControl()
  for (const gateway of gateways) {
    const restarted = await gateway.restart()
    await until(async () => (await remaining(restarted)) === 940)
  }
})

test('while control is away gateways go on with what they know, and catch up when it is back', slow, async () => {
  const plane = await startPlane()
  await publish(plane, 100)
  const [first, second] = [await plane.addGateway(), await plane.addGateway()]
  await ask(first, 20)
  await until(async () => (await remaining(second)) === 80)
  plane.control().process.kill('SIGKILL')
  await plane.control().exited
  const statuses = [...(await ask(first, 30)), ...(await ask(second, 20))]
  expect(new Set(statuses)).toEqual(new Set([200]))

  await plane.startControl()
  for (const gateway of [first, second]) await until(async () => (await remaining(gateway)) === 30)
})

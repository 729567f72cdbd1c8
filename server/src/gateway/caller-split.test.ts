import { expect, test } from 'vitest'
import { testGateway, toSnapshot, type TestGateway } from '../../test/test-gateway.ts'
import { toSnapshotLines } from '../config/snapshot-lines.ts'
import { deliverWhole } from '../kernel/snapshot-delivery.ts'
import type { Snapshot, SplitBy } from '../kernel/snapshot.ts'

const byKey: SplitBy = { kind: 'credential', fields: ['authorization', 'x-api-key'], query: ['key'] }

/** Two revisions of one api side by side: the first `percent` of 100 callers from the end get `canary`. */
function sideBySide(percent: number, by: SplitBy, routes: { stable: object[]; canary: object[] }): Snapshot {
  // An upstream that no route calls is refused.
  const calling = { name: 'up', match: { path: '/up' } }
  const stable = toSnapshot({ routes: [...routes.stable, calling] }, 'http://127.0.0.1:1')
  const canary = toSnapshot({ routes: [...routes.canary, calling] }, 'http://127.0.0.1:1')
  const split = { group: 'g', key: 'secret', by }
  const end = 10_000 - percent * 100
  const [old] = stable.apis
  const [fresh] = canary.apis
  if (old === undefined || fresh === undefined) throw new TypeError('a test gateway has one api')
  return {
    ...stable,
    apis: [
      { ...old, release: { deployment: 'old', isBeside: false, split: { ...split, from: 0, to: end } } },
      { ...fresh, release: { deployment: 'new', isBeside: true, split: { ...split, from: end, to: 10_000 } } },
    ],
    routes: [...stable.routes, ...canary.routes.map((route) => ({ ...route, beside: 'new' }))],
  }
}

function answering(body: string, path = '/x'): object {
  return { name: `at${path.replaceAll('/', '-')}`, match: { path }, policies: [{ kind: 'respond', config: { body } }] }
}

const routes = { stable: [answering('stable')], canary: [answering('canary')] }

function sideOf(gateway: TestGateway, headers: Record<string, string>, path = '/x'): Promise<string> {
  return gateway.inject(`GET ${path}`, { headers }).then(({ body }) => body)
}

test('shares callers out by what they present, and a caller stays on its side', async () => {
  const gateway = await testGateway({ snapshot: sideBySide(30, byKey, routes) })
  const sides = new Map<string, string>()
  for (let at = 0; at < 200; at++) sides.set(`k${at}`, await sideOf(gateway, { 'x-api-key': `k${at}` }))
  const canary = [...sides.values()].filter((side) => side === 'canary').length
  expect(canary).toBeGreaterThan(30)
  expect(canary).toBeLessThan(90)
  for (const [key, side] of [...sides].slice(0, 40)) {
    expect(await sideOf(gateway, { 'x-api-key': key })).toBe(side)
    expect(await sideOf(gateway, {}, `/x?key=${key}`)).toBe(side)
  }
})

test('a growing share takes callers to the new revision and none back', async () => {
  const callers = Array.from({ length: 60 }, (_, at) => ({ authorization: `Bearer ${at}` }))
  let before: string[] = []
  for (const percent of [10, 50, 100]) {
    const gateway = await testGateway({ snapshot: sideBySide(percent, byKey, routes) })
    const sides = await Promise.all(callers.map((headers) => sideOf(gateway, headers)))
    expect(before.some((side, at) => side === 'canary' && sides[at] !== 'canary')).toBe(false)
    before = sides
  }
  expect(new Set(before)).toEqual(new Set(['canary']))
})

test('by a header, callers of one value are on one side, whatever else they present', async () => {
  const gateway = await testGateway({ snapshot: sideBySide(50, { kind: 'header', name: 'x-tenant' }, routes) })
  const sides = new Set<string>()
  for (let at = 0; at < 20; at++)
    sides.add(await sideOf(gateway, { 'x-tenant': 'acme', authorization: `Bearer ${at}` }))
  expect(sides.size).toBe(1)
})

test('by the address, one client is on one side', async () => {
  const gateway = await testGateway({ snapshot: sideBySide(50, { kind: 'ip' }, routes) })
  const sides = new Set<string>()
  for (let at = 0; at < 20; at++) sides.add(await sideOf(gateway, { authorization: `Bearer ${at}` }))
  expect(sides.size).toBe(1)
})

test('an operation that only one revision has does not exist for callers of the other', async () => {
  const apart = { stable: [answering('stable')], canary: [answering('canary'), answering('fresh', '/fresh')] }
  const gateway = await testGateway({ snapshot: sideBySide(50, byKey, apart) })
  for (let at = 0; at < 30; at++) {
    const headers = { 'x-api-key': `${at}` }
    const { status } = await gateway.inject('GET /fresh', { headers })
    expect(status).toBe((await sideOf(gateway, headers)) === 'canary' ? 200 : 404)
  }
})

test('a revision that stands ready serves nobody', async () => {
  const gateway = await testGateway({ snapshot: sideBySide(0, byKey, routes) })
  for (let at = 0; at < 20; at++) expect(await sideOf(gateway, { 'x-api-key': `${at}` })).toBe('stable')
})

test('a limit is one limit for callers of both revisions together', async () => {
  const policies = [{ id: 'limit', kind: 'rate-limit', config: { limit: 5, windowSeconds: 3600, countBy: 'ip' } }]
  const limited = (body: string): object => ({
    ...answering(body),
    policies: [...policies, { kind: 'respond', config: { body } }],
  })
  const gateway = await testGateway({
    snapshot: sideBySide(50, byKey, { stable: [limited('stable')], canary: [limited('canary')] }),
  })
  const statuses: number[] = []
  for (let at = 0; at < 12; at++) {
    statuses.push((await gateway.inject('GET /x', { headers: { 'x-api-key': `${at}` } })).status)
  }
  expect(statuses.filter((status) => status === 200).length).toBe(5)
})

test('requests, errors and latencies are counted for each revision, and not without a revision beside', async () => {
  const failing = { ...answering('canary'), policies: [{ kind: 'fault', config: { abort: { status: 503 } } }] }
  const snapshot = sideBySide(50, byKey, { stable: [answering('stable')], canary: [failing] })
  const gateway = await testGateway({ snapshot })
  for (let at = 0; at < 20; at++) await gateway.inject('GET /x', { headers: { 'x-api-key': `${at}` } })
  await gateway.recorded(20)
  const counts = new Map(gateway.thread.takeDeploymentCounts().map((each) => [each.deployment, each]))
  const [old, fresh] = [counts.get('old'), counts.get('new')]
  expect((old?.requests ?? 0) + (fresh?.requests ?? 0)).toBe(20)
  expect([old?.errors, fresh?.errors]).toEqual([0, fresh?.requests])
  expect(fresh?.latency.length).toBeGreaterThan(0)
  expect(gateway.thread.takeDeploymentCounts()).toEqual([])

  const alone = await testGateway({ routes: [answering('stable'), { name: 'up', match: { path: '/up' } }] })
  await alone.inject('GET /x')
  expect(alone.thread.takeDeploymentCounts()).toEqual([])
})

test('a revision is counted from its first request on, whenever counts were taken while it was prepared', async () => {
  const gateway = await testGateway({ snapshot: sideBySide(0, byKey, routes) })
  const next = sideBySide(100, byKey, routes)
  const apis = next.apis.map((api) =>
    api.release?.isBeside === true ? { ...api, release: { ...api.release, deployment: 'newer' } } : api,
  )
  const beside = next.routes.map((route) => (route.beside === undefined ? route : { ...route, beside: 'newer' }))
  await gateway.thread.prepare(await deliverWhole(toSnapshotLines({ ...next, apis, routes: beside })))
  expect(gateway.thread.takeDeploymentCounts()).toEqual([])
  gateway.thread.commit()
  await gateway.inject('GET /x', { headers: { 'x-api-key': 'any' } })
  await gateway.recorded(1)
  expect(gateway.thread.takeDeploymentCounts()).toMatchObject([{ deployment: 'newer', requests: 1 }])
})

import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { CallerReport } from '../../gateway/process/caller-report.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { listenLocally } from '../../../test/local-server.ts'
import { publishedGateway } from '../../../test/published-gateway.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { testClock } from '../../../test/test-services.ts'
import { KEPT_DAYS, MOST_CALLS, MOST_CONSUMERS, addCalls } from './caller-store.ts'

const BOOKS = '/workspaces/default/apis/books'
const DAY_MS = 86_400_000
const NOW_MS = Date.UTC(2026, 5, 1, 12)

/** A deprecated version that asks for a key, or is open to all, and the key of the consumer acme. */
async function withDeprecated(given: Parameters<typeof testControl>[0], optional: boolean) {
  const clock = testClock(NOW_MS)
  const control = await testControl({ ...given, clock })
  const { done } = control
  const port = await listenLocally(createServer((_request, response) => response.end()))
  await done('POST', '/workspaces/default/apis', { name: 'books' })
  await done('POST', '/workspaces/default/upstreams', { name: 'shop', targets: [{ url: `http://127.0.0.1:${port}` }] })
  const policies = [{ kind: 'key-auth', config: { optional } }]
  const routes = [{ name: 'all', match: { path: '/*' } }]
  await done('POST', `${BOOKS}/versions`, { settings: { name: '1', upstream: 'shop', policies, routes } })
  await done('POST', `${BOOKS}/versions/1/revisions`)
  await done('POST', '/workspaces/default/deployments', { api: 'books', version: '1' })
  await done('POST', `${BOOKS}/versions/1/transitions`, { to: 'deprecated' })
  await done('POST', '/workspaces/default/consumers', { name: 'acme' })
  const { key } = await done('POST', '/workspaces/default/consumers/acme/credentials', { name: 'main' })
  if (typeof key !== 'string') throw new TypeError('a new credential shows its key')
  return { ...control, clock, key }
}

async function join({ done, call }: TestControl, environment?: string) {
  const { token: joinToken } = await done('POST', '/gateways/join-tokens', { environment })
  const { token } = await done('POST', '/gateway/join', { name: 'gateway', token: joinToken })
  if (typeof token !== 'string') throw new TypeError('who joins gets a token')
  return (part: object) =>
    call('POST', '/gateway/report', { body: { version: '1', root: '', workers: 1, ready: true, ...part }, token })
}

async function callersOf({ done }: TestControl, query = ''): Promise<unknown> {
  return (await done('GET', `${BOOKS}/versions/1/callers${query}`))['items']
}

describeOnEveryStore('callers of a deprecated version', (store) => {
  test('are counted by the gateway and listed with the day, those without a key too', async () => {
    const control = await withDeprecated({ database: await store.open() }, true)
    const gateway = await publishedGateway(control)
    const headers = { 'x-api-key': control.key }
    for (const sent of [{ headers }, { headers }, {}]) await gateway.inject('GET /a', sent)
    const report = new CallerReport(control.clock)
    await gateway.recorded(3)
    report.add(gateway.thread.takeCallerCounts())
    const tell = await join(control)
    const told = report.take()
    expect((await tell(told)).status).toBe(200)
    // The first answer was lost on its way, so the same comes again.
    expect((await tell(told)).status).toBe(200)
    const days = (requests: number) => [{ day: '2026-06-01', requests }]
    const lastSeenAt = '2026-06-01T12:00:00.000Z'
    expect(await callersOf(control)).toEqual([
      { kind: 'anonymous', name: '', lastSeenAt, requests: 1, days: days(1) },
      { kind: 'consumer', name: 'acme', lastSeenAt, requests: 2, days: days(2) },
    ])
    expect(await callersOf(control, '?environment=other')).toEqual([])
    const first = await control.done('GET', `${BOOKS}/versions/1/callers?limit=1`)
    expect(first['next']).toBe('')
    expect(await callersOf(control, '?limit=1&cursor=')).toMatchObject([{ name: 'acme' }])
  })

  test('are bounded in number and forgotten in time', async () => {
    const control = await withDeprecated({ database: await store.open() }, true)
    const { id: versionId } = await control.done('GET', `${BOOKS}/versions/1`)
    if (typeof versionId !== 'string') throw new TypeError('a version has an id')
    const call = {
      versionId,
      environment: 'production',
      dayStartMs: Date.UTC(2026, 5, 1),
      count: 1,
      lastSeenMs: NOW_MS,
    }
    await control.database.write(async (db) => {
      const rows = Array.from({ length: MOST_CONSUMERS }, (_, at) => ({
        version_id: versionId,
        environment: 'production',
        day_start_ms: call.dayStartMs,
        consumer: `consumer-${at}`,
        count: 1,
        last_seen_at_ms: NOW_MS,
      }))
      for (let at = 0; at < rows.length; at += 500) {
        await db
          .insertInto('version_callers')
          .values(rows.slice(at, at + 500))
          .execute()
      }
      await addCalls(db, { ...call, consumer: 'consumer-1' })
      await addCalls(db, { ...call, consumer: 'one-more' })
      await addCalls(db, { ...call, consumer: 'and-another' })
    })
    expect(await callersOf(control, '?limit=1')).toMatchObject([{ kind: 'others', requests: 2 }])
    control.clock.advance(KEPT_DAYS * DAY_MS)
    const tell = await join(control)
    const nowMs = control.clock.now()
    const counts = [
      {
        api: 'books',
        version: '1',
        consumer: 'late',
        dayStartMs: nowMs - (nowMs % DAY_MS),
        requests: 1,
        lastSeenMs: nowMs,
      },
      { api: 'gone', version: '1', consumer: 'late', dayStartMs: 0, requests: 1, lastSeenMs: 0 },
    ]
    await tell({ callers: { batch: 'a', counts } })
    const left = await control.database.read.selectFrom('version_callers').select('consumer').execute()
    expect(left).toEqual([{ consumer: 'late' }])
  })
})

describeOnEveryStore('what a gateway tells of callers', (store) => {
  const start = async () => {
    const control = await withDeprecated({ database: await store.open() }, true)
    const count = { api: 'books', version: '1', consumer: 'acme', requests: 1 }
    return { control, count: { ...count, dayStartMs: NOW_MS - (NOW_MS % DAY_MS), lastSeenMs: NOW_MS } }
  }

  test('counts only where the version is live for that gateway', async () => {
    const { control, count } = await start()
    await control.done('POST', '/environments', { name: 'staging' })
    const tell = await join(control, 'staging')
    expect((await tell({ callers: { batch: 'a', counts: [count] } })).status).toBe(200)
    expect(await callersOf(control)).toEqual([])
  })

  test('cannot lie ahead, nor be more than can be added up, and is kept by day', async () => {
    const { control, count } = await start()
    const tell = await join(control)
    const many = { ...count, requests: Number.MAX_SAFE_INTEGER, dayStartMs: count.dayStartMs + 1 }
    const ahead = [{ lastSeenMs: 8.65e15 }, { dayStartMs: NOW_MS + 2 * DAY_MS }].map((time) => ({
      ...count,
      consumer: 'late',
      ...time,
    }))
    for (const batch of ['a', 'b']) {
      expect((await tell({ callers: { batch, counts: [many, ...ahead] } })).status).toBe(200)
    }
    const shown = { kind: 'consumer', name: 'acme', requests: MOST_CALLS }
    expect(await callersOf(control)).toMatchObject([{ ...shown, days: [{ day: '2026-06-01', requests: MOST_CALLS }] }])
  })
})

test('whoever is turned away without being known is no caller', async () => {
  const control = await withDeprecated({}, false)
  const gateway = await publishedGateway(control)
  expect((await gateway.inject('GET /a')).status).toBe(401)
  expect((await gateway.inject('GET /a', { headers: { 'x-api-key': control.key } })).status).toBe(200)
  await gateway.recorded(2)
  expect(gateway.thread.takeCallerCounts()).toEqual([{ api: 'books', apiVersion: '1', consumer: 'acme', requests: 1 }])
  expect(gateway.thread.takeCallerCounts()).toEqual([])
})

test('a version that is not deprecated is not counted', async () => {
  const control = await withDeprecated({}, true)
  await control.done('POST', `${BOOKS}/versions/1/transitions`, { to: 'published' })
  const gateway = await publishedGateway(control)
  await gateway.inject('GET /a')
  await gateway.recorded(1)
  expect(gateway.thread.takeCallerCounts()).toEqual([])
})

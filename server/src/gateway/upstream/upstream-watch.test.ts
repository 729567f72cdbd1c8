import { createServer as createHttpServer } from 'node:http'
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { type CapturedLog, captureLog } from '../../../test/captured-log.ts'
import { testUpstream } from '../../../test/test-upstream.ts'
import type { UpstreamEndpoints } from './endpoint.ts'
import { HealthBoard } from './health-board.ts'
import { type Address, createNameLookup } from './name-lookup.ts'
import { UpstreamWatch } from './upstream-watch.ts'

const closers: (() => void)[] = []

afterEach(() => {
  for (const close of closers.splice(0)) close()
})

interface Watched extends CapturedLog {
  readonly watch: UpstreamWatch
  readonly table: Map<string, string>
  readonly published: UpstreamEndpoints[]
  readonly board: HealthBoard
}

function createWatch(table = new Map<string, string>()): Watched {
  const published: UpstreamEndpoints[] = []
  const captured = captureLog()
  const resolve = async (name: string): Promise<readonly Address[]> => {
    const address = table.get(name)
    if (address === undefined) throw new Error(`no such name: ${name}`)
    return [{ address, family: 4 }]
  }
  const board = new HealthBoard(8)
  const watch = new UpstreamWatch({
    lookup: createNameLookup({ resolve }),
    board,
    log: captured.log,
    publish: (found) => published.push(found),
    random: () => 0.5,
  })
  closers.push(() => watch.close())
  return { watch, table, published, board, ...captured }
}

const named = [{ url: 'http://books.test', srv: false, weight: 1, priority: 0 }]

test('the addresses of every name are known when a snapshot is adopted', async () => {
  const { watch, published } = createWatch(new Map([['books.test', '10.0.0.1']]))
  await watch.adopt([testUpstream({ targets: named })])
  expect(published).toMatchObject([{ upstream: 'books', endpoints: [{ addresses: ['10.0.0.1'] }] }])
  expect(watch.current()).toEqual(published)
})

test('a changed address is published when the name is looked up again, an unchanged one is not', async () => {
  const { watch, table, published } = createWatch(new Map([['books.test', '10.0.0.1']]))
  await watch.adopt([testUpstream({ targets: named, resolveSeconds: 0.01 })])
  const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1))
  table.set('books.test', '10.0.0.2')
  while (published.length < 2) await turn()
  expect(published.map(({ endpoints }) => endpoints[0]?.addresses)).toEqual([['10.0.0.1'], ['10.0.0.2']])
})

test('a name that cannot be resolved holds nothing up, is reported, and is left to the moment of connecting', async () => {
  const { watch, published, next } = createWatch()
  await watch.adopt([testUpstream({ targets: named })])
  expect(await next('a target could not be resolved')).toMatchObject({
    upstream: 'books',
    target: 'http://books.test',
    level: 50,
  })
  expect(published).toMatchObject([{ endpoints: [{ addresses: ['books.test'] }] }])
})

test('a lookup that does not end delays a snapshot only so long', async () => {
  const lookup = createNameLookup({ resolve: () => new Promise(() => undefined) })
  const { log } = captureLog()
  const options = { lookup, board: new HealthBoard(1), log, publish: () => undefined, random: Math.random }
  const watch = new UpstreamWatch(options)
  closers.push(() => watch.close())
  await watch.adopt([testUpstream({ targets: named })], 10)
  expect(watch.current()).toEqual([])
})

test('a reload keeps what is known while DNS is down', async () => {
  const { watch, table, published } = createWatch(new Map([['books.test', '10.0.0.1']]))
  await watch.adopt([testUpstream({ targets: named })])
  table.clear()
  const reweighted = named.map((target) => ({ ...target, weight: 5 }))
  await watch.adopt([testUpstream({ targets: reweighted })])
  expect(published.at(-1)?.endpoints).toMatchObject([{ addresses: ['10.0.0.1'], weight: 5 }])
})

test('a reload that changes nothing about targets and health leaves the watch alone', async () => {
  const { watch, published } = createWatch(new Map([['books.test', '10.0.0.1']]))
  await watch.adopt([testUpstream({ targets: named })])
  await watch.adopt([testUpstream({ targets: named, headers: [{ name: 'x', value: 'y' }] })])
  expect(published.length).toBe(1)
  await watch.adopt([])
  expect(watch.current()).toEqual([])
})

test('checked targets are published with their slot, and a reload keeps the verdict', async () => {
  const server = createHttpServer((_request, response) => response.writeHead(500).end()).listen(0, '127.0.0.1')
  closers.push(() => server.close())
  await once(server, 'listening')
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const targets = [{ url: `http://127.0.0.1:${port}`, srv: false, weight: 1, priority: 0 }]
  const healthCheck = {
    path: '/',
    intervalMs: 10,
    timeoutMs: 1_000,
    healthyAfter: 1,
    unhealthyAfter: 1,
    statuses: [200],
  }
  const { watch, published, board, next } = createWatch()
  await watch.adopt([testUpstream({ targets, healthCheck })])
  await next('target is unhealthy')
  const slot = published[0]?.endpoints[0]?.healthSlot ?? 0
  await watch.adopt([testUpstream({ targets, healthCheck: { ...healthCheck, intervalMs: 60_000 } })])
  expect(slot).toBeGreaterThan(0)
  expect([published.at(-1)?.endpoints[0]?.healthSlot, board.isHealthy(slot)]).toEqual([slot, false])
  await watch.adopt([testUpstream({ targets })])
  expect([published.at(-1)?.endpoints[0]?.healthSlot, board.isHealthy(slot)]).toEqual([0, true])
})

import { afterEach, expect, test } from 'vitest'
import { DnsServer } from '../../../test/dns-server.ts'
import type { TargetSpec } from '../../kernel/snapshot.ts'
import { type Address, createNameLookup, type NameLookup } from './name-lookup.ts'
import { TargetResolver } from './resolve.ts'

const servers: DnsServer[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function startDns(services: Parameters<typeof DnsServer.start>[0]): Promise<DnsServer> {
  const server = await DnsServer.start(services)
  servers.push(server)
  return server
}

function targetAt(url: string, parts: Partial<TargetSpec> = {}): TargetSpec {
  return { url, srv: false, weight: 1, priority: 0, ...parts }
}

const v4 = (address: string): Address => ({ address, family: 4 })
const v6 = (address: string): Address => ({ address, family: 6 })

/** Answers names from a table, the way getaddrinfo would. */
function lookupOf(table: Map<string, readonly Address[]>, servers: readonly string[] = ['127.0.0.1:9']): NameLookup {
  const resolve = async (name: string): Promise<readonly Address[]> => {
    const found = table.get(name)
    if (found === undefined) throw new Error(`no such name: ${name}`)
    return found
  }
  return createNameLookup({ resolve, servers, timeoutMs: 500 })
}

test('a literal address needs no lookup', async () => {
  const resolver = new TargetResolver(
    [targetAt('http://127.0.0.1:9001/v2/'), targetAt('https://[::1]')],
    lookupOf(new Map()),
  )
  expect(resolver.hasNames).toBe(false)
  const { endpoints, failures } = await resolver.resolve()
  expect(failures).toEqual([])
  expect(endpoints).toMatchObject([
    { scheme: 'http', authority: '127.0.0.1:9001', addresses: ['127.0.0.1'], port: 9001, basePath: '/v2' },
    { scheme: 'https', authority: '[::1]', host: '::1', addresses: ['::1'], port: 443, basePath: '' },
  ])
})

test('the hosts file of the system is honoured', async () => {
  const { endpoints, failures } = await new TargetResolver(
    [targetAt('http://localhost:9001')],
    createNameLookup(),
  ).resolve()
  expect(failures).toEqual([])
  expect(endpoints.flatMap(({ addresses }) => addresses)).toContain('127.0.0.1')
})

test('each address of a name is an endpoint with its share of the weight, in an order that does not change', async () => {
  const table = new Map([['books.test', [v4('10.0.0.2'), v4('10.0.0.1'), v4('10.0.0.2')]]])
  const resolver = new TargetResolver([targetAt('http://books.test', { weight: 4 })], lookupOf(table))
  const { endpoints } = await resolver.resolve()
  expect(endpoints).toMatchObject([
    { id: 'http://books.test 10.0.0.1:80', host: 'books.test', addresses: ['10.0.0.1'], weight: 2 },
    { id: 'http://books.test 10.0.0.2:80', host: 'books.test', addresses: ['10.0.0.2'], weight: 2 },
  ])
  table.set('books.test', [v4('10.0.0.1'), v4('10.0.0.2')])
  expect((await resolver.resolve()).endpoints).toEqual(endpoints)
})

test('addresses of the other IP version are a second way to the same host, not further hosts', async () => {
  const table = new Map([['books.test', [v6('fd00::1'), v4('10.0.0.1'), v6('fd00::2')]]])
  const { endpoints } = await new TargetResolver([targetAt('http://books.test:81')], lookupOf(table)).resolve()
  expect(endpoints.map(({ id, addresses }) => [id, addresses])).toEqual([
    ['http://books.test:81 [fd00::1]:81', ['fd00::1', '10.0.0.1']],
    ['http://books.test:81 [fd00::2]:81', ['fd00::2', '10.0.0.1']],
  ])
})

test('a name that fails keeps the addresses that it had, and the failure is told', async () => {
  const table = new Map([['books.test', [v4('10.0.0.1')]]])
  const targets = [targetAt('http://books.test')]
  const resolver = new TargetResolver(targets, lookupOf(table))
  const before = await resolver.resolve()
  table.clear()
  const after = await resolver.resolve()
  expect(after.endpoints).toEqual(before.endpoints)
  expect(after.failures).toMatchObject([{ url: 'http://books.test' }])
  const reloaded = new TargetResolver(
    [targetAt('http://books.test', { weight: 3 })],
    lookupOf(table),
    resolver.lastGood,
  )
  expect((await reloaded.resolve()).endpoints).toMatchObject([{ addresses: ['10.0.0.1'], weight: 3 }])
})

test('a name that was never resolved is left to the moment of connecting', async () => {
  const { endpoints } = await new TargetResolver([targetAt('http://books.test')], lookupOf(new Map())).resolve()
  expect(endpoints).toMatchObject([{ addresses: ['books.test'], port: 80 }])
})

test('SRV records give ports, shares and priorities, and the configured name is the one that is asked', async () => {
  const dns = await startDns({
    '_http._tcp.books.test': [
      { priority: 10, weight: 3, port: 8001, name: 'one.test' },
      { priority: 10, weight: 1, port: 8002, name: 'two.test' },
      { priority: 20, weight: 0, port: 8003, name: 'spare.test' },
    ],
  })
  const table = new Map(['one', 'two', 'spare'].map((name, index) => [`${name}.test`, [v4(`10.0.0.${index + 1}`)]]))
  const target = targetAt('https://_http._tcp.books.test/api', { srv: true, weight: 8, priority: 1 })
  const { endpoints, failures } = await new TargetResolver([target], lookupOf(table, [dns.address])).resolve()
  expect(failures).toEqual([])
  expect(endpoints).toMatchObject([
    { addresses: ['10.0.0.1'], port: 8001, weight: 6, host: 'books.test', authority: 'books.test', basePath: '/api' },
    { addresses: ['10.0.0.2'], port: 8002, weight: 2 },
    { addresses: ['10.0.0.3'], port: 8003, weight: 8 },
  ])
  const [first, second, spare] = endpoints
  expect(first?.priority).toBe(second?.priority)
  expect(spare?.priority).toBeGreaterThan(first?.priority ?? Infinity)
})

test('a SRV name keeps its last records when DNS fails, and has none when it says that there is no service', async () => {
  const record = { priority: 1, weight: 1, port: 8001, name: 'one.test' }
  const dns = await startDns({ '_http._tcp.books.test': [record] })
  const table = new Map([['one.test', [v4('10.0.0.1')]]])
  const target = targetAt('http://_http._tcp.books.test', { srv: true })
  const resolver = new TargetResolver([target], lookupOf(table, [dns.address]))
  await resolver.resolve()
  dns.broken = true
  const during = await resolver.resolve()
  expect([during.endpoints.length, during.failures.length]).toEqual([1, 1])
  dns.broken = false
  dns.services.set('_http._tcp.books.test', [{ ...record, name: '.' }])
  const after = await resolver.resolve()
  expect([after.endpoints.length, after.failures.length]).toEqual([0, 0])
})

test('a record whose host has no address is left out while others have one', async () => {
  const dns = await startDns({
    '_http._tcp.books.test': [
      { priority: 1, weight: 1, port: 8001, name: 'one.test' },
      { priority: 1, weight: 1, port: 8002, name: 'gone.test' },
    ],
  })
  const lookup = lookupOf(new Map([['one.test', [v4('10.0.0.1')]]]), [dns.address])
  const { endpoints } = await new TargetResolver(
    [targetAt('http://_http._tcp.books.test', { srv: true })],
    lookup,
  ).resolve()
  expect(endpoints.map(({ port }) => port)).toEqual([8001])
})

test('lookups of the same name are one, and few run at once', async () => {
  let running = 0
  let most = 0
  let asked = 0
  const resolve = async (): Promise<readonly Address[]> => {
    asked++
    running++
    most = Math.max(most, running)
    await new Promise((done) => setImmediate(done))
    running--
    return [v4('10.0.0.1')]
  }
  const lookup = createNameLookup({ resolve })
  const names = Array.from({ length: 20 }, (_none, index) => `host-${index % 10}.test`)
  await Promise.all(names.map((name) => lookup.addresses(name)))
  expect([asked, most]).toEqual([10, 2])
})

test('a lookup that takes too long counts as failed, and its place is free again when it ends', async () => {
  const release: (() => void)[] = []
  const resolve = (name: string): Promise<readonly Address[]> =>
    name === 'good.test' ? Promise.resolve([v4('10.0.0.1')]) : new Promise((done) => release.push(() => done([])))
  const lookup = createNameLookup({ resolve, timeoutMs: 20 })
  await expect(Promise.all([lookup.addresses('stuck.test'), lookup.addresses('stuck2.test')])).rejects.toThrow(
    /no answer/,
  )
  const waiting = lookup.addresses('good.test')
  for (const done of release) done()
  expect(await waiting).toEqual([v4('10.0.0.1')])
})

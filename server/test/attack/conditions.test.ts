import { expect, test } from 'vitest'
import { testGateway } from '../test-gateway.ts'

const document = { consumers: [{ name: 'acme', keys: [{ value: 'acme-key' }] }] }
const key = { 'x-api-key': 'acme-key' }

type Sent = [attack: string, line: string, headers: Record<string, string | string[]>]

test.each<Sent>([
  ['another', 'GET /?tenant=other', {}],
  ['another behind the own', 'GET /?tenant=acme&tenant=other', {}],
  ['another behind the own, encoded', 'GET /?tenant=acme&%74enant=other', {}],
  ['another before the own', 'GET /?tenant=other&tenant=acme', {}],
  ['none', 'GET /', {}],
  ['the own in another case', 'GET /?Tenant=acme', {}],
])('a tenant that is not the own gets no further, however the query is written: %s', async (_, line, headers) => {
  const access = { kind: 'access', config: { condition: 'principal.consumer == request.query.tenant' } }
  const gateway = await testGateway({ policies: [{ kind: 'key-auth' }, access], document })
  expect((await gateway.inject(line, { headers: { ...key, ...headers } })).status).toBe(403)
  expect(gateway.seen).toEqual([])
})

test.each<Sent>([
  ['another', 'GET /', { 'x-tenant': 'other' }],
  ['another behind the own', 'GET /', { 'x-tenant': ['acme', 'other'] }],
  ['another before the own', 'GET /', { 'x-tenant': ['other', 'acme'] }],
  ['both in one', 'GET /', { 'x-tenant': 'acme,other' }],
  ['an empty one before the own', 'GET /', { 'x-tenant': ['', 'acme'] }],
])('a tenant that is not the own gets no further, however the header is written: %s', async (_, line, headers) => {
  const access = { kind: 'access', config: { condition: "principal.consumer == request.headers['x-tenant']" } }
  const gateway = await testGateway({ policies: [{ kind: 'key-auth' }, access], document })
  expect((await gateway.inject(line, { headers: { ...key, ...headers } })).status).toBe(403)
  expect(gateway.seen).toEqual([])
})

test('a claim or consumer that is not there equals nothing that a client can send', async () => {
  const rules = ['principal.claims.tenant == request.query.tenant', 'principal.claims.admin == true']
  for (const condition of rules) {
    const access = { kind: 'access', config: { condition } }
    const gateway = await testGateway({ policies: [{ kind: 'key-auth' }, access], document })
    for (const query of ['', '?tenant=', '?tenant=null', '?tenant=undefined', '?admin=true']) {
      expect((await gateway.inject(`GET /${query}`, { headers: key })).status, condition).toBe(403)
    }
    expect(gateway.seen).toEqual([])
  }
})

test.each([
  'null',
  'https://example.com.evil.test',
  'https://evilexample.com',
  'https://.example.com',
  'https://evil.test/.example.com',
  'https://evil.test#.example.com',
  'https://user@app.example.com',
  'https://app.example.com:8443',
  'http://app.example.com',
  'HTTPS://APP.EXAMPLE.COM',
  'https://app.example.com/',
  'https://app.example.com, https://evil.test',
  'https://app.example.com evil.test',
])('an origin that only looks like one of those that are allowed reads nothing: %s', async (origin) => {
  const cors = { kind: 'cors', config: { origins: ['https://*.example.com'], credentials: true } }
  const gateway = await testGateway({ policies: [cors] })
  const preflight = { origin, 'access-control-request-method': 'DELETE' }
  const answers = [
    await gateway.inject('OPTIONS /', { headers: preflight }),
    await gateway.inject('GET /', { headers: { origin } }),
  ]
  expect(answers.map(({ status }) => status)).toEqual([403, 200])
  for (const { headers } of answers) {
    expect(headers['access-control-allow-origin']).toBeUndefined()
    expect(headers['access-control-allow-credentials']).toBeUndefined()
  }
})

test.each<Sent>([
  ['addresses that a client invents', 'GET /', { 'x-forwarded-for': '203.0.113.1', forwarded: 'for=203.0.113.1' }],
  ['another host', 'GET /', { host: 'other.example' }],
  ['another path', 'GET /other?a=1', {}],
  ['another method', 'HEAD /', {}],
  ['a wrong key', 'GET /', { 'x-api-key': 'wrong' }],
])('a limit by address cannot be evaded: %s', async (_, line, headers) => {
  const limit = { kind: 'rate-limit', config: { limit: 1, countBy: 'ip' } }
  const gateway = await testGateway({ policies: [limit, { kind: 'key-auth', config: { optional: true } }], document })
  expect((await gateway.inject('GET /')).status).toBe(200)
  expect((await gateway.inject(line, { headers })).status).toBe(429)
})

test('a cost that a client names gives nothing back and never wraps around', async () => {
  const limit = { kind: 'rate-limit', config: { limit: 10, countBy: 'route', cost: 'int(request.query.n)' } }
  const gateway = await testGateway({ policies: [limit] })
  const statusOf = async (n: string): Promise<number> => (await gateway.inject(`GET /?n=${n}`)).status
  expect(await statusOf('10')).toBe(200)
  expect(await statusOf('-10')).toBe(200)
  expect(await statusOf('1')).toBe(429)
  for (const n of ['4294967295', '4294967296', '9007199254740991']) expect(await statusOf(n), n).toBe(429)
  for (const n of ['9007199254740993', '1e3', '0x1', '', '9'.repeat(30)]) expect(await statusOf(n), n).toBe(500)
})

test('callers beyond the table of counters are refused, and those that it knows go on', async () => {
  const limit = { kind: 'rate-limit', config: { limit: 5, countBy: 'request.query.n' } }
  const gateway = await testGateway({ policies: [limit] })
  expect((await gateway.inject('GET /?n=first')).status).toBe(200)
  const statuses = new Set<number>()
  for (let n = 0; n < 1500; n++) statuses.add((await gateway.inject(`GET /?n=${n}`)).status)
  expect(statuses).toEqual(new Set([200, 503]))
  expect((await gateway.inject('GET /?n=first')).status).toBe(200)
  expect(gateway.logged.filter(({ message }) => message.startsWith('the table of counters has no room'))).toHaveLength(
    1,
  )
})

import { createHmac, hash } from 'node:crypto'
import { expect, test } from 'vitest'
import { testGateway, type TestGateway } from '../test-gateway.ts'

const secret = 'a secret that both sides know, long enough'
const document = {
  consumers: [
    { name: 'acme', keys: [{ value: 'acme-key' }] },
    { name: 'old', keys: [{ value: 'old-key', expiresAt: '2020-01-01T00:00:00Z' }] },
  ],
}

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds
const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')

function token(claims: object, header: object = {}, key = secret): string {
  const input = `${encode({ alg: 'HS256', ...header })}.${encode({ sub: 'u', aud: 'books', exp: inSeconds(60), ...claims })}`
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
}

function keyGateway(config: object = {}): Promise<TestGateway> {
  return testGateway({ policies: [{ kind: 'key-auth', config }], document })
}

type Attack = [attack: string, line: string, headers: Record<string, string>, status: number]

test.each<Attack>([
  ['no key', 'GET /', {}, 401],
  ['an empty key', 'GET /', { 'x-api-key': '' }, 401],
  ['a wrong key', 'GET /', { 'x-api-key': 'acme-kex' }, 401],
  ['another case', 'GET /', { 'x-api-key': 'ACME-KEY' }, 401],
  ['a beginning', 'GET /', { 'x-api-key': 'acme-' }, 401],
  ['its hash', 'GET /', { 'x-api-key': hash('sha256', 'acme-key') }, 401],
  ['an expired key', 'GET /', { 'x-api-key': 'old-key' }, 401],
  ['two keys as a list', 'GET /', { 'x-api-key': 'acme-key, acme-key' }, 401],
  ['a blank that is none', 'GET /', { 'x-api-key': 'acme-key\u00a0' }, 401],
  ['a key in disguise', 'GET /', { x_api_key: 'acme-key' }, 401],
  ['a key in a cookie', 'GET /', { cookie: 'x-api-key=acme-key' }, 401],
  ['a key in a query that is not asked', 'GET /?x-api-key=acme-key', {}, 401],
  ['a name like a member of all objects', 'GET /', { 'x-api-key': '__proto__' }, 401],
  ['a very long key', 'GET /', { 'x-api-key': 'a'.repeat(20_000) }, 401],
])('%s is no key', async (_, line, headers, status) => {
  const gateway = await keyGateway()
  expect((await gateway.inject(line, { headers })).status).toBe(status)
  expect(gateway.seen).toEqual([])
})

test.each<Attack>([
  ['keys that differ by place', 'GET /?api_key=wrong', { 'x-api-key': 'acme-key' }, 400],
  ['keys that differ within the query', 'GET /?api_key=wrong&%61pi_key=acme-key', {}, 400],
  ['a good key and a wrong token', 'GET /', { 'x-api-key': 'acme-key', authorization: 'Bearer wrong' }, 400],
  ['a wrong key where none is needed', 'GET /', { 'x-api-key': 'wrong' }, 401],
])('%s let nobody in', async (_, line, headers, status) => {
  const gateway = await keyGateway({ optional: true, query: 'api_key', scheme: 'Bearer' })
  expect((await gateway.inject(line, { headers })).status).toBe(status)
  expect(gateway.seen).toEqual([])
})

test.each<[place: string, line: string, headers: Record<string, string>]>([
  ['the header', 'GET /', { 'X-Api-Key': 'acme-key' }],
  ['the query', 'GET /?a=1&api_key=acme-key', {}],
  ['the query, encoded', 'GET /?a=1&%61%70i_key=acme%2Dkey', {}],
  ['the query, twice', 'GET /?api_key=acme-key&a=1&api_key=acme-key', {}],
  ['authorization', 'GET /', { authorization: 'bEaReR   acme-key' }],
  ['all places at once', 'GET /?api_key=acme-key', { 'x-api-key': 'acme-key', authorization: 'Bearer acme-key' }],
])('no upstream sees the key that let a caller in: %s', async (_, line, headers) => {
  const gateway = await keyGateway({ query: 'api_key', scheme: 'Bearer' })
  expect((await gateway.inject(line, { headers })).status).toBe(200)
  expect(decodeURIComponent(JSON.stringify(gateway.seen))).not.toContain('acme-key')
  expect(JSON.stringify(gateway.records)).not.toContain('acme-key')
})

test.each<[attack: string, token: string]>([
  ['without a signature', `${token({}).split('.').slice(0, 2).join('.')}.`],
  ['with the algorithm none', `${encode({ alg: 'none' })}.${encode({ sub: 'u', aud: 'books', exp: inSeconds(60) })}.`],
  ['with the algorithm None', token({}, { alg: 'None' })],
  ['of another secret', token({}, {}, 'b'.repeat(40))],
  ['of the empty secret', token({}, {}, '')],
  ['of a file that `kid` names', token({}, { kid: '../../dev/null' }, '')],
  ['of a database that `kid` names', token({}, { kid: "' UNION SELECT ''--" }, '')],
  ['of keys from an address of its own', token({}, { jku: 'http://127.0.0.1:1/', x5u: 'http://127.0.0.1:1/' }, 'a')],
  ['with a `kid` that is no text', token({}, { kid: { a: 1 } })],
  ['with extensions that have to be understood', token({}, { crit: ['b64'], b64: false })],
  ['that has expired', token({ exp: inSeconds(-60) })],
  ['that never expires', token({ exp: undefined })],
  [
    'that expires at infinity',
    token({}).replace(
      /^[^.]+\.[^.]+/,
      `${encode({ alg: 'HS256' })}.${Buffer.from('{"exp":1e999}').toString('base64url')}`,
    ),
  ],
  ['with an expiry as text', token({ exp: String(inSeconds(60)) })],
  ['that does not count yet', token({ nbf: inSeconds(3600) })],
  ['from the future', token({ iat: inSeconds(3600) })],
  ['for another audience', token({ aud: 'other' })],
  ['for no audience', token({ aud: [] })],
  ['for nobody', token({ sub: '' })],
  ['in five parts', 'a.b.c.d.e'],
  ['with a blank in it', `${token({})} ${token({})}`],
  ['with padding', `${token({})}=`],
])('no token %s lets anybody in', async (_, bearer) => {
  const gateway = await testGateway({ policies: [{ kind: 'jwt', config: { secret, audiences: ['books'] } }] })
  expect((await gateway.inject('GET /', { headers: { authorization: `Bearer ${token({})}` } })).status).toBe(200)
  const { status, body } = await gateway.inject('GET /', { headers: { authorization: `Bearer ${bearer}` } })
  expect(status).toBe(401)
  expect(body).not.toContain(bearer)
  expect(gateway.seen).toHaveLength(1)
  expect(gateway.seen[0]?.headers.authorization).toBeUndefined()
})

import { describe, expect, test } from 'vitest'
import { testExchange, type TestExchangeOptions } from '../../../test/test-exchange.ts'
import {
  checkPolicy,
  codeOf,
  runPolicy,
  testClock,
  testConsumers,
  testServices,
  textOf,
  type PolicyRun,
} from '../../../test/test-services.ts'
import type { Consumers } from '../../kernel/consumers.ts'
import { keyAuth } from './key-auth.ts'

const clock = testClock()
const services = testServices({
  clock,
  consumers: testConsumers({
    acme: {
      keys: ['acme-key', ['acme-old', clock.now()], ['acme-new', clock.now() + 1]],
      roles: ['partner'],
      scopes: ['books'],
    },
    other: { keys: ['other-key', 'k'.repeat(600), 'ké y'] },
  }),
})
const run = (request: TestExchangeOptions, config: unknown = {}): Promise<PolicyRun> =>
  runPolicy(keyAuth, config, testExchange(request), { services })

describe('a caller with a key', () => {
  test('is the consumer that the key belongs to, with its roles and scopes', async () => {
    const { answer, exchange } = await run({ headers: { 'x-api-key': 'acme-key' } })
    expect(answer).toBeUndefined()
    expect(exchange.principal).toEqual({
      id: 'acme',
      consumer: 'acme',
      credential: 'key-0',
      by: 'key-auth',
      scopes: ['books'],
      roles: ['partner'],
      claims: {},
    })
  })

  test('may have one of any shape', async () => {
    const { exchange } = await run({ headers: { 'x-api-key': 'ké y' } })
    expect(exchange.principal?.id).toBe('other')
  })

  test('may send it under another name, whatever its case in the configuration', async () => {
    const { exchange } = await run({ headers: { 'x-token': 'acme-key' } }, { header: 'X-Token' })
    expect(exchange.principal?.id).toBe('acme')
  })

  test('may send it with an authorization scheme, in any case', async () => {
    const { exchange } = await run({ headers: { authorization: 'bearer acme-key' } }, { scheme: 'Bearer' })
    expect(exchange.principal?.id).toBe('acme')
  })

  test('may send it in the query only where that is configured', async () => {
    expect(codeOf(await run({ query: 'api_key=acme-key' }))).toBe('key_auth.missing')
    const { exchange } = await run({ query: 'a=1&api_key=acme-key&b=2' }, { query: 'api_key' })
    expect(exchange.principal?.id).toBe('acme')
  })
})

test.each([
  ['header is', {}, { headers: { 'x-api-key': 'acme-key' } }, true],
  ['query is not', { query: 'key' }, { query: 'key=acme-key' }, false],
])('what is made of a key of the %s kept with the fields', async (_, config, request: TestExchangeOptions, isKept) => {
  const askedWith: unknown[] = []
  const consumers: Consumers = {
    byName: (name) => services.consumers.byName(name),
    byKey(key, from) {
      askedWith.push(from)
      return services.consumers.byKey(key, from)
    },
  }
  const exchange = testExchange(request)
  await runPolicy(keyAuth, config, exchange, { services: testServices({ clock, consumers }) })
  expect(exchange.principal?.id).toBe('acme')
  expect(askedWith).toEqual([isKept ? exchange.request.fields : undefined])
})

describe('the key does not reach the upstream', () => {
  test('from a header', async () => {
    const { exchange } = await run({ headers: { 'x-api-key': ['acme-key', 'acme-key'], accept: '*/*' } })
    expect(exchange.request.fields.names).toEqual(['accept'])
  })

  test('from the query, in whatever spelling, and the rest stays as it was', async () => {
    const { exchange } = await run({ query: 'a=%20&key=acme-key&%6Bey=acme-key' }, { query: 'key' })
    expect(exchange.request.query).toBe('a=%20')
  })

  test('from authorization, but another scheme stays', async () => {
    const ours = await run({ headers: { authorization: 'ApiKey acme-key' } }, { scheme: 'ApiKey' })
    expect(ours.exchange.request.fields.has('authorization')).toBe(false)
    const headers = { authorization: 'Basic eDp5', 'x-api-key': 'acme-key' }
    const theirs = await run({ headers }, { scheme: 'ApiKey' })
    expect(theirs.exchange.request.fields.get('authorization')).toBe('Basic eDp5')
  })

  test('unless the configuration wants it to', async () => {
    const { exchange } = await run({ headers: { 'x-api-key': 'acme-key' } }, { keepCredential: true })
    expect(exchange.request.fields.get('x-api-key')).toBe('acme-key')
  })
})

describe('a caller without a valid key', () => {
  test('is told where to send one', async () => {
    const { answer, reply } = await run({}, { query: 'key' })
    expect(reply.status).toBe(401)
    expect(reply.fields.get('www-authenticate')).toBe('ApiKey realm="headgate", header="x-api-key"')
    expect(answer).toMatchObject({
      detail: 'No API key was sent. Send it in the `x-api-key` header or in the `key` query parameter.',
    })
  })

  test.each([
    ['an unknown key', 'wrong', 'key_auth.invalid'],
    ['a key with a blank behind it', 'acme-key ', 'key_auth.invalid'],
    ['the hash of a key', '8fe0a4f1', 'key_auth.invalid'],
    ['an expired key', 'acme-old', 'key_auth.expired'],
    ['an empty key', '', 'key_auth.missing'],
    ['a key that is too long, even one that is configured', 'k'.repeat(600), 'key_auth.invalid'],
  ])('is refused with %s', async (_, key, code) => {
    const refused = await run({ headers: { 'x-api-key': key } })
    expect(codeOf(refused)).toBe(code)
    expect(refused.reply.status).toBe(401)
    expect(refused.exchange.principal).toBeUndefined()
  })

  test('gets no word about the key in the answer', async () => {
    const { reply } = await run({ headers: { 'x-api-key': 'wrong-secret' } })
    expect(textOf(reply)).not.toContain('wrong-secret')
  })

  test.each([
    ['two headers', { headers: { 'x-api-key': ['acme-key', 'other-key'] } }],
    ['header and query', { headers: { 'x-api-key': 'acme-key' }, query: 'key=other-key' }],
    ['header and authorization', { headers: { 'x-api-key': 'acme-key', authorization: 'Bearer other-key' } }],
    ['two query parameters', { query: 'key=acme-key&key=other-key' }],
  ])('is refused when %s carry different keys', async (_, request) => {
    const refused = await run(request, { scheme: 'Bearer', query: 'key' })
    expect(codeOf(refused)).toBe('key_auth.ambiguous')
    expect(refused.reply.status).toBe(400)
  })

  test('the same key twice is one key', async () => {
    const { exchange } = await run({ headers: { 'x-api-key': 'acme-key' }, query: 'key=acme-key' }, { query: 'key' })
    expect(exchange.principal?.id).toBe('acme')
    expect(exchange.request.query).toBeUndefined()
  })

  test('a key counts until the moment it expires', async () => {
    expect(codeOf(await run({ headers: { 'x-api-key': 'acme-new' } }))).toBeUndefined()
    clock.advance(1)
    expect(codeOf(await run({ headers: { 'x-api-key': 'acme-new' } }))).toBe('key_auth.expired')
  })
})

test('an optional key lets the anonymous pass and still refuses a wrong one', async () => {
  const anonymous = await run({}, { optional: true })
  expect(anonymous.answer).toBeUndefined()
  expect(anonymous.exchange.principal).toBeUndefined()
  expect(codeOf(await run({ headers: { 'x-api-key': 'wrong' } }, { optional: true }))).toBe('key_auth.invalid')
})

test('the authorization header is refused as a header without a scheme', () => {
  expect(checkPolicy(keyAuth, { header: 'Authorization' })).toEqual([
    'header: the authorization header has a scheme before the key: give `scheme` instead',
  ])
  expect(checkPolicy(keyAuth, { scheme: 'Bearer', realm: 'books' })).toEqual([])
})

test.each(keyAuth.examples.map(({ title, config }) => [title, config]))('example: %s', async (_, config) => {
  expect(checkPolicy(keyAuth, config)).toEqual([])
  const { exchange } = await run({ headers: { 'x-api-key': 'acme-key' } }, config)
  expect(exchange.principal?.id).toBe('acme')
})

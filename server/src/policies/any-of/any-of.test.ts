import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { testExchange, type TestExchangeOptions } from '../../../test/test-exchange.ts'
import {
  checkPolicy,
  codeOf,
  runPolicy,
  testClock,
  testConsumers,
  testServices,
  type PolicyRun,
} from '../../../test/test-services.ts'
import { anyOf } from './any-of.ts'

const clock = testClock()
const now = clock.now() / 1000
const secrets = { first: 'the first secret, thirty-two bytes long', second: 'the second secret, thirty-two bytes too' }
const way = (issuer: keyof typeof secrets, more: object = {}) => ({
  kind: 'jwt',
  config: { secret: secrets[issuer], issuer, audiences: ['books'], ...more },
})
const token = (issuer: keyof typeof secrets, claims: object = {}): string => {
  const parts = [{ alg: 'HS256' }, { iss: issuer, aud: 'books', sub: 'user', exp: now + 60, ...claims }]
  const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${input}.${createHmac('sha256', secrets[issuer]).update(input).digest('base64url')}`
}
const services = testServices({ clock, consumers: testConsumers({ acme: { keys: ['acme-key', ['old-key', 1]] } }) })
const keyOrToken = { policies: [{ kind: 'key-auth' }, way('first')] }
const twoIssuers = { policies: [way('first'), way('second')] }
const run = (config: unknown, request: TestExchangeOptions): Promise<PolicyRun> =>
  runPolicy(anyOf, config, testExchange(request), { services })
const bearer = (sent: string): TestExchangeOptions => ({ headers: { authorization: `Bearer ${sent}` } })

describe('a caller', () => {
  test('is let in by whichever way knows it', async () => {
    expect((await run(keyOrToken, { headers: { 'x-api-key': 'acme-key' } })).exchange.principal).toMatchObject({
      by: 'key-auth',
      id: 'acme',
    })
    expect((await run(keyOrToken, bearer(token('first')))).exchange.principal).toMatchObject({
      by: 'jwt',
      id: 'first#user',
    })
    expect((await run(twoIssuers, bearer(token('first')))).exchange.principal).toMatchObject({ id: 'first#user' })
    expect((await run(twoIssuers, bearer(token('second')))).exchange.principal).toMatchObject({ id: 'second#user' })
  })

  test('with a wrong and a good credential is let in by the good one', async () => {
    const headers = { 'x-api-key': 'wrong', authorization: `Bearer ${token('first')}` }
    expect((await run(keyOrToken, { headers })).exchange.principal).toMatchObject({ by: 'jwt' })
  })

  test('with two good credentials is who the first way says', async () => {
    const headers = { 'x-api-key': 'acme-key', authorization: `Bearer ${token('first')}` }
    expect((await run(keyOrToken, { headers })).exchange.principal).toMatchObject({ by: 'key-auth' })
  })

  test('without any credential is told of all ways', async () => {
    const { reply, answer } = await run(keyOrToken, {})
    expect(reply.status).toBe(401)
    expect(reply.fields.get('www-authenticate')).toBe(
      'ApiKey realm="headgate", header="x-api-key", Bearer realm="headgate"',
    )
    expect(answer).toMatchObject({
      definition: { code: 'any_of.missing' },
      detail:
        'No API key was sent. Send it in the `x-api-key` header. Or: No token was sent. Send it as `authorization: Bearer <token>`.',
    })
  })

  test.each([
    ['a wrong key, as wrong key', { headers: { 'x-api-key': 'wrong' } }, keyOrToken, 'key_auth.invalid'],
    ['an expired key, as expired key', { headers: { 'x-api-key': 'old-key' } }, keyOrToken, 'key_auth.expired'],
    ['an expired token, as expired token', bearer(token('first', { exp: 1 })), keyOrToken, 'jwt.expired'],
    [
      'a token of the second issuer for another audience, as that',
      bearer(token('second', { aud: 'x' })),
      twoIssuers,
      'jwt.not_accepted',
    ],
    [
      'a token of the first issuer for another audience, as that',
      bearer(token('first', { aud: 'x' })),
      twoIssuers,
      'jwt.not_accepted',
    ],
    [
      'a wrong key and an expired token, as the token',
      { headers: { 'x-api-key': 'x', ...bearer(token('first', { exp: 1 })).headers } },
      keyOrToken,
      'jwt.expired',
    ],
  ])('is refused with %s', async (_, request, config, code) => {
    const refused = await run(config, request)
    expect(codeOf(refused)).toBe(code)
    expect(refused.exchange.principal).toBeUndefined()
  })

  test('is told of our own trouble and not of a wrong credential while that cannot be judged', async () => {
    const away = testServices({ clock, fetchDocument: () => Promise.reject(new Error('away')) })
    const remote = {
      kind: 'jwt',
      config: { jwksUrl: 'https://issuer.test/keys', issuer: 'first', audiences: [], algorithms: ['RS256'] },
    }
    const sent = [{ alg: 'RS256', kid: 'k' }, { exp: now + 60 }, {}]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    const headers = { 'x-api-key': 'wrong', ...bearer(sent).headers }
    const refused = await runPolicy(anyOf, { policies: [{ kind: 'key-auth' }, remote] }, testExchange({ headers }), {
      services: away,
    })
    expect(codeOf(refused)).toBe('jwt.keys_unavailable')
  })
})

test('the anonymous pass where it is optional, a wrong credential does not', async () => {
  const optional = { ...keyOrToken, optional: true }
  const { answer, exchange } = await run(optional, {})
  expect(answer).toBeUndefined()
  expect(exchange.principal).toBeUndefined()
  expect(codeOf(await run(optional, { headers: { 'x-api-key': 'wrong' } }))).toBe('key_auth.invalid')
})

describe('whoever is let in by one way', () => {
  const good = { 'x-api-key': 'acme-key', authorization: `Bearer ${token('first')}` }

  test.each([
    ['a good one', good],
    ['a wrong one', { ...good, 'x-api-key': 'wrong' }],
    ['one that nobody looked at any more', { ...good, authorization: 'Bearer nothing' }],
  ])('shows the upstream no credential of another way either: %s', async (_, headers) => {
    const { exchange } = await run(keyOrToken, { headers })
    expect(exchange.principal).toBeDefined()
    expect(exchange.request.fields.names).toEqual([])
  })

  test('keeps what a way is configured to keep, and what is no way of any of them', async () => {
    const kept = { policies: [{ kind: 'key-auth', config: { keepCredential: true } }, way('first')] }
    expect((await run(kept, { headers: good })).exchange.request.fields.names).toEqual(['x-api-key'])
    const keepsToken = { policies: [{ kind: 'key-auth' }, way('first', { keepCredential: true })] }
    expect((await run(keepsToken, { headers: good })).exchange.request.fields.names).toEqual(['authorization'])
    const basic = { ...good, authorization: 'Basic YTpi', cookie: 'a=b' }
    expect((await run(keyOrToken, { headers: basic })).exchange.request.fields.names).toEqual([
      'authorization',
      'cookie',
    ])
  })

  test('keeps nothing that another way looks at and does not keep', async () => {
    const policies = [way('first', { keepCredential: true }), way('second')]
    expect((await run({ policies }, bearer(token('first')))).exchange.request.fields.names).toEqual([])
  })

  test('keeps no key in the query either', async () => {
    const config = { policies: [way('first'), { kind: 'key-auth', config: { query: 'key' } }] }
    const { exchange } = await run(config, { ...bearer(token('first')), query: 'a=1&key=acme-key' })
    expect(exchange.request.query).toBe('a=1')
  })
})

test('a request that nobody lets in keeps its credentials, and goes nowhere', async () => {
  const headers = { 'x-api-key': 'wrong', authorization: 'Bearer nothing' }
  const refused = await run(keyOrToken, { headers })
  expect(refused.reply.status).toBe(401)
  expect(refused.exchange.request.fields.names).toEqual(['x-api-key', 'authorization'])
})

describe('a configuration is refused', () => {
  test('with a policy that does not authenticate, is not known or is configured wrongly', () => {
    const faults = (policies: unknown[]): string => checkPolicy(anyOf, { policies }).join('\n')
    expect(faults([{ kind: 'key-auth' }, { kind: 'cors', config: { origins: ['*'] } }])).toContain(
      'policies.1.kind: cors does not tell who is calling',
    )
    expect(faults([{ kind: 'key-auth' }, { kind: 'nothing' }])).toContain('policies.1')
    expect(faults([{ kind: 'key-auth' }, { kind: 'jwt' }])).toContain('policies.1.config: no keys')
    expect(faults([{ kind: 'key-auth' }, { kind: 'key-auth', config: { heder: 'x' } }])).toContain('policies.1.config')
    expect(faults([{ kind: 'key-auth' }, { kind: 'any-of', config: keyOrToken }])).toContain('any-of in any-of')
  })

  test('with a way that lets everybody in', () => {
    const faults = checkPolicy(anyOf, { policies: [{ kind: 'key-auth', config: { optional: true } }, way('first')] })
    expect(faults[0]).toContain('policies.0.config.optional: would let everybody in')
  })

  test('with one way alone', () => {
    expect(checkPolicy(anyOf, { policies: [{ kind: 'key-auth' }] })).not.toEqual([])
  })
})

test.each(anyOf.examples.map(({ title, config }) => [title, config]))('example: %s', async (_, config) => {
  expect(checkPolicy(anyOf, config)).toEqual([])
  expect((await run(config, { headers: { 'x-api-key': 'acme-key' } })).exchange.principal?.id).toBe('acme')
})

import { generateKeyPairSync, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import type { FetchedDocument } from '../../kernel/policy-services.ts'
import type { Answer } from '../../kernel/policy.ts'
import { Problem } from '../../kernel/problem.ts'
import { testExchange } from '../../../test/test-exchange.ts'
import { setupPolicy, testClock, testServices } from '../../../test/test-services.ts'
import { jwt } from './jwt.ts'

const keys = new Map(['one', 'two'].map((kid) => [kid, generateKeyPairSync('ed25519')]))
const keySet = (...kids: string[]): string =>
  JSON.stringify({ keys: kids.map((kid) => ({ ...keys.get(kid)?.publicKey.export({ format: 'jwk' }), kid })) })

/** An issuer whose answers a test sets, and a policy that trusts it. */
function setUp(more: Record<string, unknown> = {}) {
  const clock = testClock()
  const issuer = {
    fetches: 0,
    answer: (): Promise<FetchedDocument> | FetchedDocument => ({
      status: 200,
      text: keySet('one'),
      maxAgeSeconds: 600,
    }),
  }
  const services = testServices({
    clock,
    fetchDocument: async () => {
      issuer.fetches++
      return issuer.answer()
    },
  })
  const config = { jwksUrl: 'https://issuer.test/keys', issuer: 'i', audiences: [], cachedTokens: 0, ...more }
  let instance = setupPolicy(jwt, config, services)
  const token = (kid: string | undefined, signer = kid): string => {
    const claims = { iss: 'i', sub: 'u', exp: clock.now() / 1000 + 60 }
    const input = [{ alg: 'EdDSA', kid }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    const key = keys.get(signer ?? 'one')?.privateKey
    return `${input}.${key === undefined ? 'AAAA' : sign(null, Buffer.from(input), key).toString('base64url')}`
  }
  const send = async (sent: string): Promise<string> => {
    const answer: Answer = await instance.request?.(testExchange({ headers: { authorization: `Bearer ${sent}` } }))
    return answer instanceof Problem ? answer.definition.code : 'passed'
  }
  return {
    clock,
    issuer,
    services,
    send,
    ask: (kid?: string, signer?: string) => send(token(kid, signer)),
    reload: () => {
      instance = setupPolicy(jwt, config, services)
    },
  }
}

const serve = (text: string, maxAgeSeconds?: number) => (): FetchedDocument => ({ status: 200, text, maxAgeSeconds })
const fail = (): Promise<FetchedDocument> => Promise.reject(new Error('connection refused'))

test('keys are fetched once and serve all requests until their time is nearly over', async () => {
  const { ask, issuer, clock } = setUp()
  expect(await Promise.all([ask('one'), ask('one'), ask()])).toEqual(['passed', 'passed', 'passed'])
  clock.advance(479_000)
  expect(await ask('one')).toBe('passed')
  expect(issuer.fetches).toBe(1)
  clock.advance(2000)
  expect(await ask('one')).toBe('passed')
  expect(issuer.fetches).toBe(2)
})

test('a new key of the issuer counts with the first token that it signs', async () => {
  const { ask, issuer, clock } = setUp()
  expect(await ask('one')).toBe('passed')
  issuer.answer = serve(keySet('two', 'one'))
  clock.advance(30_000)
  expect(await Promise.all([ask('two'), ask('two'), ask('one')])).toEqual(['passed', 'passed', 'passed'])
  expect(issuer.fetches).toBe(2)
})

test('tokens with invented keys cause one fetch in thirty seconds, however many come', async () => {
  const { ask, issuer, clock } = setUp()
  for (let at = 0; at < 20; at++) expect(await ask(`invented-${at}`, 'one')).toBe('jwt.invalid')
  expect(issuer.fetches).toBe(1)
  clock.advance(30_000)
  await Promise.all(Array.from({ length: 20 }, (_, at) => ask(`more-${at}`, 'one')))
  expect(issuer.fetches).toBe(2)
})

test('a key that the issuer withdrew no longer counts once its time is over', async () => {
  const { ask, issuer, clock } = setUp()
  expect(await ask('one')).toBe('passed')
  issuer.answer = serve(keySet('two'))
  clock.advance(600_000)
  expect(await ask('one')).toBe('jwt.invalid')
})

test('a remembered token is verified again when the keys have changed', async () => {
  const { send, ask, issuer, clock } = setUp({ cachedTokens: 100, cacheSeconds: 3600, clockSkewSeconds: 300 })
  const claims = { iss: 'i', sub: 'u', exp: clock.now() / 1000 + 3600 }
  const input = [{ alg: 'EdDSA', kid: 'one' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const key = keys.get('one')?.privateKey
  const sent = `${input}.${key === undefined ? '' : sign(null, Buffer.from(input), key).toString('base64url')}`
  expect(await send(sent)).toBe('passed')
  issuer.answer = serve(keySet('two'))
  clock.advance(30_000)
  expect(await ask('two')).toBe('passed')
  expect(await send(sent)).toBe('jwt.invalid')
})

test('while the issuer is away, known keys count a bounded time longer, and then nobody is let in', async () => {
  const { ask, issuer, clock, services } = setUp({ staleSeconds: 3600 })
  expect(await ask('one')).toBe('passed')
  issuer.answer = fail
  clock.advance(600_000)
  expect(await ask('one')).toBe('passed')
  expect(services.warnings[0]?.facts).toMatchObject({ url: 'https://issuer.test/keys', reason: 'connection refused' })
  clock.advance(3_600_000)
  expect(await ask('one')).toBe('jwt.keys_unavailable')
  issuer.answer = serve(keySet('one'))
  clock.advance(30_000)
  expect(await ask('one')).toBe('passed')
})

test('without any keys nobody is let in, and the issuer is asked less and less often', async () => {
  const { ask, issuer, clock } = setUp()
  issuer.answer = fail
  for (let second = 0; second < 60; second++) {
    expect(await ask('one')).toBe('jwt.keys_unavailable')
    clock.advance(1000)
  }
  // At 0, 1, 3, 7, 15, 31 seconds: twice as long each time, and never longer than the interval of 30 seconds.
  expect(issuer.fetches).toBe(6)
  issuer.answer = serve(keySet('one'))
  clock.advance(30_000)
  expect(await ask('one')).toBe('passed')
})

test.each([
  ['an error', { status: 500, text: keySet('one'), maxAgeSeconds: undefined }],
  ['a redirect', { status: 302, text: '', maxAgeSeconds: undefined }],
  ['no JSON', { status: 200, text: '<html>', maxAgeSeconds: undefined }],
  ['no key set', { status: 200, text: '{"keys":"all"}', maxAgeSeconds: undefined }],
  [
    'too many keys',
    { status: 200, text: keySet(...Array.from({ length: 101 }, () => 'one')), maxAgeSeconds: undefined },
  ],
])('%s is no key set', async (_, answer) => {
  const { ask, issuer } = setUp()
  issuer.answer = () => answer
  expect(await ask('one')).toBe('jwt.keys_unavailable')
})

test('an answer that may not be kept is kept for the refetch interval all the same', async () => {
  const { ask, issuer, clock } = setUp()
  issuer.answer = serve(keySet('one'), 0)
  for (let second = 0; second < 20; second++) {
    expect(await ask('one')).toBe('passed')
    clock.advance(1000)
  }
  expect(issuer.fetches).toBe(1)
})

test('keys outlive a reload, so that it does not need the issuer', async () => {
  const { ask, issuer, reload } = setUp()
  expect(await ask('one')).toBe('passed')
  issuer.answer = fail
  reload()
  expect(await ask('one')).toBe('passed')
  expect(issuer.fetches).toBe(1)
})

test('a secret or a key for encryption in the key set verifies nothing', async () => {
  const { ask, issuer } = setUp()
  const [jwk] = JSON.parse(keySet('one')).keys
  issuer.answer = serve(
    JSON.stringify({
      keys: [
        { ...jwk, use: 'enc' },
        { kty: 'oct', k: 'AAAA', kid: 'one' },
      ],
    }),
  )
  expect(await ask('one')).toBe('jwt.invalid')
})

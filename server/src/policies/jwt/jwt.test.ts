import { createHmac, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  rsa,
  ec,
  ed,
  pem,
  secret,
  clock,
  nowSeconds,
  services,
  expected,
  goodClaims,
  encode,
  signature,
  token,
  run,
} from '../../../test/jwt-tokens.ts'
import { testExchange } from '../../../test/test-exchange.ts'
import {
  checkPolicy,
  codeOf,
  runPolicy,
  setupPolicy,
  testClock,
  testConsumers,
  testServices,
} from '../../../test/test-services.ts'
import { jwt } from './jwt.ts'

describe('a caller with a token', () => {
  test('is the subject of its issuer, with scopes, roles and claims', async () => {
    const { answer, exchange } = await run(token({ scope: 'books:read books:write', roles: ['editor'] }, { kid: 'k1' }))
    expect(answer).toBeUndefined()
    expect(exchange.principal).toMatchObject({
      id: 'https://issuer.test#user-1',
      consumer: undefined,
      credential: 'k1',
      by: 'jwt',
      scopes: ['books:read', 'books:write'],
      roles: ['editor'],
      claims: { sub: 'user-1' },
    })
  })

  test('is let in with each kind of key', async () => {
    const jwkOf = (key: typeof rsa.publicKey, kid: string): object => ({ ...key.export({ format: 'jwk' }), kid })
    const jwks = { keys: [jwkOf(rsa.publicKey, 'r'), jwkOf(ec.publicKey, 'e'), jwkOf(ed.publicKey, 'd')] }
    for (const [alg, kid] of [
      ['RS256', 'r'],
      ['ES256', 'e'],
      ['EdDSA', 'd'],
    ]) {
      expect(codeOf(await run(token({}, { alg, kid }), { publicKey: undefined, jwks })), alg).toBeUndefined()
    }
    expect(codeOf(await run(token({}, { alg: 'HS256' }), { publicKey: undefined, secret }))).toBeUndefined()
    const base64 = Buffer.from(secret).toString('base64')
    const config = { publicKey: undefined, secret: base64, secretEncoding: 'base64' }
    expect(codeOf(await run(token({}, { alg: 'HS256' }), config))).toBeUndefined()
  })

  test('reads scopes from `scp` and roles from wherever they are configured', async () => {
    const nested = await run(token({ scp: ['a', 'b'], realm_access: { roles: ['x'] } }), {
      rolesClaim: 'realm_access.roles',
    })
    expect(nested.exchange.principal).toMatchObject({ scopes: ['a', 'b'], roles: ['x'] })
    const dotted = await run(token({ 'https://a.test/roles': 'x' }), { rolesClaim: 'https://a.test/roles' })
    expect(dotted.exchange.principal).toMatchObject({ roles: ['x'] })
  })

  test('sends it in any case of the scheme, or in a header of its own', async () => {
    const lower = await runPolicy(jwt, expected, testExchange({ headers: { authorization: `bearer ${token()}` } }), {
      services,
    })
    expect(lower.exchange.principal).toBeDefined()
    const config = { ...expected, header: 'X-Token', scheme: '' }
    const own = await runPolicy(jwt, config, testExchange({ headers: { 'x-token': token() } }), { services })
    expect(own.exchange.principal).toBeDefined()
    expect(own.exchange.request.fields.size).toBe(0)
  })

  test('does not show it to the upstream unless that is wanted', async () => {
    expect((await run(token())).exchange.request.fields.has('authorization')).toBe(false)
    expect((await run(token(), { keepCredential: true })).exchange.request.fields.has('authorization')).toBe(true)
  })
})

describe('a consumer', () => {
  const config = { consumer: { claim: 'azp' } }

  test('is found by a claim, and adds its roles but no scopes', async () => {
    const { exchange } = await run(token({ azp: 'acme', scope: 'books:read' }), config)
    expect(exchange.principal).toMatchObject({
      id: 'acme',
      consumer: 'acme',
      roles: ['partner'],
      scopes: ['books:read'],
    })
  })

  test('that is not known is refused, or passes without being one', async () => {
    expect(codeOf(await run(token({ azp: 'nobody' }), config))).toBe('jwt.unknown_consumer')
    expect(codeOf(await run(token(), config))).toBe('jwt.unknown_consumer')
    const { exchange } = await run(token({ azp: 'nobody' }), { consumer: { claim: 'azp', unknown: 'allow' } })
    expect(exchange.principal).toMatchObject({ id: 'https://issuer.test#user-1', consumer: undefined })
  })

  test('is not whoever has its name as subject', async () => {
    const { exchange } = await run(token({ sub: 'acme' }))
    expect(exchange.principal).toMatchObject({ id: 'https://issuer.test#acme', consumer: undefined })
  })
})

describe('claims', () => {
  test.each([
    ['another issuer', { iss: 'https://issuer.test.evil' }, 'jwt.invalid'],
    ['no issuer', { iss: undefined }, 'jwt.invalid'],
    ['a list of issuers', { iss: ['https://issuer.test'] }, 'jwt.invalid'],
    ['another audience', { aud: 'cards' }, 'jwt.not_accepted'],
    ['no audience', { aud: undefined }, 'jwt.not_accepted'],
    ['an audience that only begins so', { aud: 'books2' }, 'jwt.not_accepted'],
    ['an expiry in the past', { exp: nowSeconds - 31 }, 'jwt.expired'],
    ['no expiry', { exp: undefined }, 'jwt.not_accepted'],
    ['an expiry that is text', { exp: String(nowSeconds + 300) }, 'jwt.not_accepted'],
    ['a start in the future', { nbf: nowSeconds + 31 }, 'jwt.not_accepted'],
    ['a start that is text', { nbf: 'now' }, 'jwt.not_accepted'],
    ['an issue in the future', { iat: nowSeconds + 31 }, 'jwt.not_accepted'],
    ['no subject', { sub: undefined }, 'jwt.not_accepted'],
    ['a subject that is no text', { sub: { admin: true } }, 'jwt.not_accepted'],
  ])('with %s are refused', async (_, claims, code) => {
    expect(codeOf(await run(token(claims)))).toBe(code)
  })

  test('an expiry too large for any calendar is no expiry', async () => {
    const claims = JSON.stringify({ ...goodClaims, exp: 0 }).replace('"exp":0', '"exp":1e999')
    expect(codeOf(await run(token(claims)))).toBe('jwt.not_accepted')
  })

  test('are taken with the clock skew that is configured', async () => {
    const late = { exp: nowSeconds - 29, nbf: nowSeconds + 29, iat: nowSeconds + 29 }
    expect(codeOf(await run(token(late)))).toBeUndefined()
    expect(codeOf(await run(token(late), { clockSkewSeconds: 0 }))).toBe('jwt.expired')
  })

  test('may name one of several audiences', async () => {
    expect(codeOf(await run(token({ aud: ['cards', 'books'] })))).toBeUndefined()
    expect(codeOf(await run(token({ aud: undefined }), { audiences: [] }))).toBeUndefined()
  })

  test('older than `maxAgeSeconds`, or without an age, are refused', async () => {
    expect(codeOf(await run(token({ iat: nowSeconds - 100 }), { maxAgeSeconds: 60 }))).toBe('jwt.expired')
    expect(codeOf(await run(token({ iat: undefined }), { maxAgeSeconds: 60 }))).toBe('jwt.not_accepted')
  })

  test('of another type of token are refused', async () => {
    expect(codeOf(await run(token({}, { typ: 'at+jwt' }), { type: 'at+jwt' }))).toBeUndefined()
    expect(codeOf(await run(token({}, { typ: 'application/AT+JWT' }), { type: 'at+jwt' }))).toBeUndefined()
    expect(codeOf(await run(token(), { type: 'at+jwt' }))).toBe('jwt.not_accepted')
  })

  test('without a required scope are refused, and the answer says which', async () => {
    const { reply, answer } = await run(token({ scope: 'books:read' }), {
      requiredScopes: ['books:read', 'books:write'],
    })
    expect(reply.status).toBe(403)
    expect(reply.fields.get('www-authenticate')).toBe(
      'Bearer realm="headgate", error="insufficient_scope", scope="books:read books:write"',
    )
    expect(answer).toMatchObject({ definition: { code: 'jwt.insufficient_scope' } })
  })

  test('in a name such as __proto__ change nothing', async () => {
    const claims = `{"__proto__":{"iss":"https://issuer.test","aud":"books"},"sub":"u","exp":${nowSeconds + 60}}`
    expect(codeOf(await run(token(claims)))).toBe('jwt.invalid')
  })
})

describe('without a token', () => {
  test('the caller is asked for one, without an error code', async () => {
    const { reply, answer } = await runPolicy(jwt, expected, testExchange(), { services })
    expect(reply.status).toBe(401)
    expect(reply.fields.get('www-authenticate')).toBe('Bearer realm="headgate"')
    expect(answer).toMatchObject({ detail: 'No token was sent. Send it as `authorization: Bearer <token>`.' })
  })

  test.each(['Basic eDp5', 'Bearer', 'Bearer ', 'Bearertoken', ''])('as in %j', async (authorization) => {
    const run = await runPolicy(jwt, expected, testExchange({ headers: { authorization } }), { services })
    expect(codeOf(run)).toBe('jwt.missing')
  })

  test('the anonymous pass where it is optional, a bad token does not', async () => {
    const anonymous = await runPolicy(jwt, { ...expected, optional: true }, testExchange(), { services })
    expect(anonymous.answer).toBeUndefined()
    expect(codeOf(await run(token({ exp: 1 }), { optional: true }))).toBe('jwt.expired')
  })
})

describe('a verified token', () => {
  test('comes again without being verified again, until it expires', async () => {
    const own = testClock()
    const instance = setupPolicy(jwt, { ...expected, clockSkewSeconds: 0 }, testServices({ clock: own }))
    const sent = token({ exp: nowSeconds + 40 })
    const ask = () => instance.request?.(testExchange({ headers: { authorization: `Bearer ${sent}` } }))
    expect(ask()).toBeInstanceOf(Promise)
    await ask()
    expect(ask()).toBeUndefined()
    own.advance(39_999)
    expect(ask()).toBeUndefined()
    own.advance(1)
    expect(await ask()).toMatchObject({ definition: { code: 'jwt.expired' } })
  })

  test('is forgotten after `cacheSeconds`, and never remembered with none', async () => {
    const own = testClock()
    const instance = setupPolicy(jwt, { ...expected, cacheSeconds: 10 }, testServices({ clock: own }))
    const ask = () => instance.request?.(testExchange({ headers: { authorization: `Bearer ${token()}` } }))
    await ask()
    expect(ask()).toBeUndefined()
    own.advance(10_000)
    expect(ask()).toBeInstanceOf(Promise)
    const without = setupPolicy(jwt, { ...expected, cachedTokens: 0 }, testServices({ clock: own }))
    await without.request?.(testExchange({ headers: { authorization: `Bearer ${token()}` } }))
    expect(without.request?.(testExchange({ headers: { authorization: `Bearer ${token()}` } }))).toBeInstanceOf(Promise)
  })

  test('does not help one that differs in a character', async () => {
    const instance = setupPolicy(jwt, expected, services)
    const sent = token()
    await instance.request?.(testExchange({ headers: { authorization: `Bearer ${sent}` } }))
    const forged = `${sent.slice(0, -8)}${sent.at(-8) === 'A' ? 'B' : 'A'}${sent.slice(-7)}`
    const answer = await instance.request?.(testExchange({ headers: { authorization: `Bearer ${forged}` } }))
    expect(answer).toMatchObject({ definition: { code: 'jwt.invalid' } })
  })
})

describe('configurations that are refused', () => {
  const faults = (config: Record<string, unknown>): string => checkPolicy(jwt, config).join('\n')
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  const remote = { jwksUrl: 'https://issuer.test/keys', issuer: 'i', audiences: [] }

  test('no keys, or keys from two places', () => {
    expect(faults({})).toContain('no keys: give exactly one of')
    expect(faults({ publicKey: pem, secret })).toContain('keys from publicKey and secret')
  })

  test('algorithms that do not fit the kind of key', () => {
    expect(faults({ publicKey: pem, algorithms: ['RS256', 'HS256'] })).toContain(
      'algorithms.1: HS256 does not work with public keys',
    )
    expect(faults({ secret, algorithms: ['RS256'] })).toContain('algorithms.0: RS256 does not work with a secret')
    expect(faults({ publicKey: pem, algorithms: ['ES256'] })).toContain('publicKey: fits none of the algorithms ES256')
    expect(faults({ publicKey: pem, algorithms: ['none'] })).not.toBe('')
  })

  test('keys that are weak, private or none', () => {
    expect(faults({ publicKey: weak.export({ type: 'spki', format: 'pem' }) })).toContain('1024 bits are too few')
    expect(faults({ publicKey: rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) })).toContain(
      'a private key does not belong',
    )
    expect(faults({ publicKey: 'ssh-rsa AAAA' })).toContain('cannot be read as a public key')
    expect(faults({ jwks: { keys: [] } })).toContain('the key set is empty')
    expect(faults({ jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } })).toContain('a secret does not belong in a key set')
    expect(faults({ jwks: { keys: [rsa.privateKey.export({ format: 'jwk' })] } })).toContain(
      'a private key does not belong',
    )
    expect(faults({ secret: 'short' })).not.toBe('')
    expect(faults({ secret: 'x'.repeat(40), secretEncoding: 'base64' })).toContain(
      '30 bytes are too few for HS256: 32 or more',
    )
  })

  test('key sets from addresses that anybody on the way could answer for', () => {
    expect(faults(remote)).toBe('')
    expect(faults({ ...remote, jwksUrl: 'http://127.0.0.1:9000/keys' })).toBe('')
    expect(faults({ ...remote, jwksUrl: 'http://issuer.test/keys', allowInsecureUrl: true })).toBe('')
    expect(faults({ ...remote, jwksUrl: 'http://issuer.test/keys' })).toContain('plain http can be changed')
    expect(faults({ ...remote, jwksUrl: 'http://127.evil.test/keys' })).toContain('plain http can be changed')
    expect(faults({ ...remote, jwksUrl: 'file:///etc/passwd' })).toContain('file: is not fetched')
    expect(faults({ ...remote, jwksUrl: 'https://user:pass@issuer.test/' })).toContain('password')
    expect(faults({ ...remote, jwksUrl: 'issuer.test/keys' })).toContain('is no address')
  })

  test('a provider without the issuer and the audience that are meant', () => {
    expect(faults({ jwksUrl: 'https://issuer.test/keys' })).toContain('issuer: is required')
    expect(faults({ jwksUrl: 'https://issuer.test/keys', issuer: 'i' })).toContain('audiences: is required')
  })

  test('the authorization header without a scheme', () => {
    expect(faults({ publicKey: pem, scheme: '' })).toContain('scheme: the authorization header has a scheme')
  })
})

test.each(jwt.examples.map(({ title, config }) => [title, config]))('example: %s', async (_, config) => {
  expect(checkPolicy(jwt, config)).toEqual([])
  const text = JSON.stringify({ keys: [rsa.publicKey.export({ format: 'jwk' })] })
  const own = testServices({
    clock,
    consumers: testConsumers({ acme: {} }),
    fetchDocument: async () => ({ status: 200, text, maxAgeSeconds: 60 }),
  })
  const claims = { iss: config.issuer, aud: config.audiences, azp: 'acme', scope: 'books:read' }
  const input = `${encode({ alg: config.secret === undefined ? 'RS256' : 'HS256' })}.${encode({ ...goodClaims, ...claims })}`
  const mac = config.secret && createHmac('sha256', config.secret).update(input).digest('base64url')
  const sent = `${input}.${mac ?? signature(input, 'RS256').toString('base64url')}`
  const { answer, exchange } = await runPolicy(
    jwt,
    config,
    testExchange({ headers: { authorization: `Bearer ${sent}` } }),
    {
      services: own,
    },
  )
  expect(answer).toBeUndefined()
  expect(exchange.principal).toBeDefined()
})

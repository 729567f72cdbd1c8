import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { testExchange } from '../../../test/test-exchange.ts'
import {
  checkPolicy,
  codeOf,
  runPolicy,
  setupPolicy,
  testClock,
  testConsumers,
  testServices,
  textOf,
  type PolicyRun,
} from '../../../test/test-services.ts'
import { jwt } from './jwt.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
const secret = 'a secret of thirty-two bytes, or of more'

const clock = testClock()
const nowSeconds = clock.now() / 1000
const services = testServices({
  clock,
  consumers: testConsumers({ acme: { roles: ['partner'], scopes: ['books:delete'] } }),
})
const expected = { publicKey: pem, issuer: 'https://issuer.test', audiences: ['books'] }
const goodClaims = { iss: 'https://issuer.test', aud: 'books', sub: 'user-1', iat: nowSeconds, exp: nowSeconds + 300 }

const encode = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
const signature = (input: string, alg: string): Buffer => {
  if (alg.startsWith('HS')) return createHmac('sha256', secret).update(input).digest()
  if (alg === 'ES256') return sign('sha256', Buffer.from(input), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })
  if (alg === 'EdDSA') return sign(null, Buffer.from(input), ed.privateKey)
  return sign('sha256', Buffer.from(input), rsa.privateKey)
}
const token = (claims: unknown = {}, header: Record<string, unknown> = {}): string => {
  const head = { alg: 'RS256', typ: 'JWT', ...header }
  const body = typeof claims === 'string' ? claims : { ...goodClaims, ...(claims as object) }
  const input = `${encode(head)}.${encode(body)}`
  return `${input}.${signature(input, head.alg).toString('base64url')}`
}
const run = (sent: string, config: Record<string, unknown> = {}): Promise<PolicyRun> =>
  runPolicy(jwt, { ...expected, ...config }, testExchange({ headers: { authorization: `Bearer ${sent}` } }), {
    services,
  })
const detailOf = async (sent: string, config: Record<string, unknown> = {}): Promise<string | undefined> => {
  const { answer } = await run(sent, config)
  return answer !== undefined && 'detail' in answer ? answer.detail : undefined
}

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

describe('attacks on the signature', () => {
  test.each(['none', 'None', 'NONE', '', undefined, null, 5, ['RS256']])(
    'no token goes without one: alg %j',
    async (alg) => {
      const sent = `${encode({ alg, typ: 'JWT' })}.${encode(goodClaims)}.`
      expect(codeOf(await run(sent))).toBe('jwt.invalid')
    },
  )

  test('a public key is not taken for a secret', async () => {
    const input = `${encode({ alg: 'HS256' })}.${encode(goodClaims)}`
    const sent = `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`
    expect(await detailOf(sent)).toBe('The token is signed in a way that does not count here')
  })

  test('not even when the configuration would allow the algorithm', async () => {
    const input = `${encode({ alg: 'HS256' })}.${encode(goodClaims)}`
    const sent = `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`
    expect(codeOf(await run(sent, { algorithms: ['RS256', 'HS256'] }))).toBe('jwt.invalid')
    const jwks = { keys: [{ ...rsa.publicKey.export({ format: 'jwk' }) }] }
    expect(codeOf(await run(sent, { publicKey: undefined, jwks, algorithms: ['HS256'] }))).toBe('jwt.invalid')
  })

  test('an algorithm that is not listed does not count, good as its signature may be', async () => {
    expect(codeOf(await run(token(), { algorithms: ['PS256'] }))).toBe('jwt.invalid')
  })

  test('an algorithm of another kind of key does not count', async () => {
    expect(codeOf(await run(token({}, { alg: 'ES256' })))).toBe('jwt.invalid')
  })

  test('a key that the token brings along is not used', async () => {
    const jwk = other.publicKey.export({ format: 'jwk' })
    const input = `${encode({ alg: 'RS256', jwk, jku: 'https://evil.test/keys', x5u: 'https://evil.test' })}.${encode(goodClaims)}`
    const sent = `${input}.${sign('sha256', Buffer.from(input), other.privateKey).toString('base64url')}`
    expect(await detailOf(sent)).toBe('The signature of the token does not fit')
  })

  test('changed claims do not fit', async () => {
    const [head = '', , end = ''] = token().split('.')
    expect(await detailOf(`${head}.${encode({ ...goodClaims, sub: 'admin' })}.${end}`)).toBe(
      'The signature of the token does not fit',
    )
  })

  test('a signature of no bytes, of zeros or with more behind it does not fit', async () => {
    const [head = '', body = '', end = ''] = token({}, { alg: 'ES256' }).split('.')
    const jwks = { keys: [ec.publicKey.export({ format: 'jwk' })] }
    for (const forged of ['', Buffer.alloc(64).toString('base64url'), `${end}AAAA`, `${end}=`, `${end}.x`]) {
      expect(codeOf(await run(`${head}.${body}.${forged}`, { publicKey: undefined, jwks })), forged).toBe('jwt.invalid')
    }
  })

  test('an extension that has to be understood is refused', async () => {
    const crit = { crit: ['exp'], exp: 1 }
    expect(codeOf(await run(token({}, crit)))).toBe('jwt.invalid')
    expect(codeOf(await run(token({}, { crit: ['b64'], b64: true })))).toBe('jwt.invalid')
    expect(codeOf(await run(token({}, { crit: [] })))).toBe('jwt.invalid')
  })

  test('a key of the set counts for its own algorithm and use only', async () => {
    const key = { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'k' }
    const withKey = (more: object): Record<string, unknown> => ({
      publicKey: undefined,
      jwks: { keys: [{ ...key, ...more }] },
    })
    const sent = token({}, { kid: 'k' })
    expect(codeOf(await run(sent, withKey({ alg: 'RS256', use: 'sig' })))).toBeUndefined()
    expect(codeOf(await run(sent, withKey({ alg: 'PS256' })))).toBe('jwt.invalid')
    expect(codeOf(await run(sent, withKey({ use: 'enc' })))).toBe('jwt.invalid')
    expect(codeOf(await run(sent, withKey({ kid: 'other' })))).toBe('jwt.invalid')
  })

  test('a token that could be of several keys is of none', async () => {
    const jwks = { keys: [rsa.publicKey.export({ format: 'jwk' }), other.publicKey.export({ format: 'jwk' })] }
    expect(await detailOf(token(), { publicKey: undefined, jwks })).toBe(
      'The token is signed with a key that is not known',
    )
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

describe('what is no token', () => {
  test.each([
    ['nothing but dots', '..'],
    ['two parts', 'a.b'],
    ['five parts, which is encryption', 'a.b.c.d.e'],
    ['no base64', '!!.!!.!!'],
    ['a header that is no object', `${encode('"RS256"')}.${encode(goodClaims)}.AA`],
    ['a header that is a list', `${encode('[]')}.${encode(goodClaims)}.AA`],
    ['claims that are no object', token('[]')],
    ['claims that are no JSON', token('sub=admin')],
    ['a signature with padding', `${token()}=`],
    ['a signature with a blank in it', token().replace(/.{5}$/, ' $&')],
    ['claims with padding', token().replace(/\.([^.]+)$/, '=.$1')],
    ['a key id that is no text', `${encode({ alg: 'RS256', kid: ['k'] })}.${encode(goodClaims)}.AA`],
    ['an endless header', `${encode({ alg: 'RS256', x: 'x'.repeat(3000) })}.${encode(goodClaims)}.AA`],
  ])('%s is refused', async (_, sent) => {
    const refused = await run(sent)
    expect(codeOf(refused)).toBe('jwt.invalid')
    expect(refused.reply.status).toBe(401)
    expect(refused.reply.fields.get('www-authenticate')).toMatch(
      /^Bearer realm="headgate", error="invalid_token", error_description="[^"]+"$/,
    )
  })

  test('a token that is too long is refused unread', async () => {
    expect(await detailOf(token({ x: 'x'.repeat(9000) }))).toBe('The token is too long')
  })

  test('no answer repeats the token', async () => {
    const sent = token({ sub: 'user-2', exp: 1 })
    expect(textOf((await run(sent)).reply)).not.toContain(sent.slice(0, 20))
  })

  test('several fields are refused, whichever of them is good', async () => {
    const headers = { authorization: ['Basic eDp5', `Bearer ${token()}`] }
    for (const optional of [false, true]) {
      const refused = await runPolicy(jwt, { ...expected, optional }, testExchange({ headers }), { services })
      expect(codeOf(refused)).toBe('jwt.ambiguous')
      expect(refused.reply.status).toBe(400)
    }
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

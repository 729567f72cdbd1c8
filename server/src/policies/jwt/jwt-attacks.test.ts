import { createHmac, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  rsa,
  ec,
  other,
  pem,
  services,
  expected,
  goodClaims,
  encode,
  token,
  run,
  detailOf,
} from '../../../test/jwt-tokens.ts'
import { testExchange } from '../../../test/test-exchange.ts'
import { codeOf, runPolicy, textOf } from '../../../test/test-services.ts'
import { jwt } from './jwt.ts'

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

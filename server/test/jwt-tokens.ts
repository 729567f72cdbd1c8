/** Tokens of an issuer that a test is, and what the policy makes of them. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { jwt } from '../src/policies/jwt/jwt.ts'
import { testExchange } from './test-exchange.ts'
import { runPolicy, testClock, testConsumers, testServices, type PolicyRun } from './test-services.ts'

export const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const ed = generateKeyPairSync('ed25519')
export const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
export const secret = 'a secret of thirty-two bytes, or of more'

export const clock = testClock()
export const nowSeconds = clock.now() / 1000
export const services = testServices({
  clock,
  consumers: testConsumers({ acme: { roles: ['partner'], scopes: ['books:delete'] } }),
})
export const expected = { publicKey: pem, issuer: 'https://issuer.test', audiences: ['books'] }
export const goodClaims = {
  iss: 'https://issuer.test',
  aud: 'books',
  sub: 'user-1',
  iat: nowSeconds,
  exp: nowSeconds + 300,
}

export const encode = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
export const signature = (input: string, alg: string): Buffer => {
  if (alg.startsWith('HS')) return createHmac('sha256', secret).update(input).digest()
  if (alg === 'ES256') return sign('sha256', Buffer.from(input), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })
  if (alg === 'EdDSA') return sign(null, Buffer.from(input), ed.privateKey)
  return sign('sha256', Buffer.from(input), rsa.privateKey)
}
export const token = (claims: unknown = {}, header: Record<string, unknown> = {}): string => {
  const head = { alg: 'RS256', typ: 'JWT', ...header }
  const body = typeof claims === 'string' ? claims : { ...goodClaims, ...(claims as object) }
  const input = `${encode(head)}.${encode(body)}`
  return `${input}.${signature(input, head.alg).toString('base64url')}`
}
export const run = (sent: string, config: Record<string, unknown> = {}): Promise<PolicyRun> =>
  runPolicy(jwt, { ...expected, ...config }, testExchange({ headers: { authorization: `Bearer ${sent}` } }), {
    services,
  })
export const detailOf = async (sent: string, config: Record<string, unknown> = {}): Promise<string | undefined> => {
  const { answer } = await run(sent, config)
  return answer !== undefined && 'detail' in answer ? answer.detail : undefined
}

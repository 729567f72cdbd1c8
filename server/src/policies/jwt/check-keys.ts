/** Refuses keys that cannot work, are too weak, or could be taken for keys of another kind. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import type { PolicyCheck } from '../../kernel/policy.ts'
import { isSecretReference } from '../../kernel/secret-reference.ts'
import { algorithmsOf, publicKeyAlgorithms, secretAlgorithms, type Jwk, type JwtConfig } from './jwt-config.ts'

const SOURCES = ['jwksUrl', 'jwks', 'publicKey', 'secret'] as const

export function checkKeys(config: JwtConfig, check: PolicyCheck): void {
  const given = SOURCES.filter((name) => config[name] !== undefined)
  if (given.length !== 1) {
    const found = given.length === 0 ? 'no keys' : `keys from ${given.join(' and ')}`
    check.report([], `${found}: give exactly one of ${SOURCES.join(', ')}`)
    return
  }
  checkFit(config, check)
  if (config.jwksUrl !== undefined) checkUrl(config.jwksUrl, config, check)
  if (config.jwks !== undefined) checkKeySet(config.jwks.keys, algorithmsOf(config), check)
  if (config.publicKey !== undefined) checkPem(config.publicKey, algorithmsOf(config), check)
  if (config.secret !== undefined) checkSecret(config, check)
}

/** A public key is no secret: whoever took it for one could sign tokens with what everybody may know. */
function checkFit(config: JwtConfig, check: PolicyCheck): void {
  const fitting = config.secret === undefined ? publicKeyAlgorithms : secretAlgorithms
  for (const [at, algorithm] of (config.algorithms ?? []).entries()) {
    if (fitting.includes(algorithm)) continue
    const kind = config.secret === undefined ? 'public keys' : 'a secret'
    check.report(['algorithms', at], `${algorithm} does not work with ${kind}: use ${fitting.join(', ')}`)
  }
}

function checkUrl(text: string, { issuer, audiences, allowInsecureUrl }: JwtConfig, check: PolicyCheck): void {
  const fault = urlFault(text, allowInsecureUrl)
  if (fault !== undefined) check.report(['jwksUrl'], fault)
  // The keys of a provider sign for many parties, so a good signature alone does not mean us.
  if (issuer === undefined) check.report(['issuer'], 'is required with `jwksUrl`: a provider signs for many issuers')
  if (audiences === undefined) {
    check.report(['audiences'], 'is required with `jwksUrl`: a token for another API is no token for this one')
  }
}

/** What is wrong with the address of a key set, undefined when nothing is. */
function urlFault(text: string, allowInsecureUrl: boolean): string | undefined {
  if (!URL.canParse(text)) return `${text} is no address: write https://issuer.example/keys`
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return 'the address has a password in it'
  if (url.protocol === 'https:') return undefined
  if (url.protocol !== 'http:') return `${url.protocol} is not fetched: use https`
  if (allowInsecureUrl || isLoopback(url.hostname)) return undefined
  return 'plain http can be changed on the way: use https, or `allowInsecureUrl` where the network is trusted'
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))
}

function checkKeySet(keys: readonly Jwk[], algorithms: readonly string[], check: PolicyCheck): void {
  if (keys.length === 0) check.report(['jwks', 'keys'], 'the key set is empty')
  for (const [at, jwk] of keys.entries()) {
    const path = ['jwks', 'keys', at]
    if (jwk.kty === 'oct') check.report(path, 'a secret does not belong in a key set: use `secret`')
    else if ('d' in jwk) check.report(path, 'a private key does not belong here: leave out `d` and what follows it')
    else checkPublicKey(() => createPublicKey({ key: jwk, format: 'jwk' }), path, algorithms, check)
  }
}

function checkPem(pem: string, algorithms: readonly string[], check: PolicyCheck): void {
  if (pem.includes('PRIVATE KEY'))
    check.report(['publicKey'], 'a private key does not belong here: give the public one')
  else checkPublicKey(() => createPublicKey(pem), ['publicKey'], algorithms, check)
}

function checkPublicKey(
  read: () => KeyObject,
  path: readonly (string | number)[],
  algorithms: readonly string[],
  check: PolicyCheck,
): void {
  let key: KeyObject
  try {
    key = read()
  } catch {
    // What the library says of it is about its own internals.
    check.report(path, 'cannot be read as a public key')
    return
  }
  const bits = key.asymmetricKeyDetails?.modulusLength
  if (bits !== undefined && bits < 2048) check.report(path, `${bits} bits are too few for RSA: 2048 or more`)
  const fitting = fittingAlgorithms(key)
  if (!fitting.some((each) => algorithms.includes(each))) {
    check.report(path, `fits none of the algorithms ${algorithms.join(', ')}`)
  }
}

function fittingAlgorithms({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly string[] {
  const curves: Record<string, string> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' }
  if (asymmetricKeyType === 'rsa') return ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
  if (asymmetricKeyType === 'ed25519') return ['EdDSA', 'Ed25519']
  const curve = curves[asymmetricKeyDetails?.namedCurve ?? '']
  return curve === undefined ? [] : [curve]
}

/** RFC 7518 §3.2: a key as long as the hash output or longer. A reference is looked at where its value is put in. */
function checkSecret(config: JwtConfig, check: PolicyCheck): void {
  if (isSecretReference(config.secret ?? '')) return
  const bytes = Buffer.from(config.secret ?? '', config.secretEncoding).length
  for (const algorithm of algorithmsOf(config)) {
    const needed = Number(algorithm.slice(2)) / 8
    if (bytes < needed) check.report(['secret'], `${bytes} bytes are too few for ${algorithm}: ${needed} or more`)
  }
}

/**
 * From a token to a principal, or to the reason why not.
 *
 * The header and the expiry are looked at first: they are not proven yet, but what they rule out needs no key and no
 * signature. The signature and the claims are then verified by jose, with an explicit list of algorithms that fits the
 * kind of the key, so that no token can choose how it is verified (RFC 8725 §3.1).
 */
import type { errors, JWTVerifyOptions } from 'jose'
import type { JsonObject } from '../../kernel/json.ts'
import type { PolicyServices } from '../../kernel/policy-services.ts'
import { Problem } from '../../kernel/problem.ts'
import type { Principal } from '../../kernel/principal.ts'
import { algorithmsOf, type JwtConfig } from './jwt-config.ts'
import type { FoundKey, KeyHint, KeySource, VerificationKey } from './key-source.ts'
import type { Refusals } from './refusals.ts'
import { createPrincipalMaker } from './to-principal.ts'
import { jose } from './jose.ts'

export interface Verified {
  readonly outcome: Principal | Problem
  /** How long the outcome holds; undefined when it must not be remembered. */
  readonly valid?: { readonly untilMs: number; readonly keysVersion: number }
}

/** Refuses at once what needs no signature to be refused; else the promise of what the signature and the claims say. */
export type VerifyToken = (token: string) => Problem | Promise<Verified>

/** Compiles the verifier of one entry. Its promise rejects only with faults of ours, never because of a token. */
export function createTokenVerifier(
  config: JwtConfig,
  refusals: Refusals,
  keys: KeySource,
  services: PolicyServices,
): VerifyToken {
  const algorithms = algorithmsOf(config)
  const toPrincipal = createPrincipalMaker(config, refusals, services.consumers)
  const options = toVerifyOptions(config)
  const skewMs = config.clockSkewSeconds * 1000

  const verify = async (token: string, kid: string | undefined, key: VerificationKey): Promise<Verified> => {
    const nowMs = services.clock.now()
    const keysVersion = keys.version
    let payload: JsonObject
    try {
      const verified = await jose().jwtVerify<JsonObject>(token, key, { ...options, currentDate: new Date(nowMs) })
      payload = verified.payload
    } catch (cause) {
      return { outcome: toRefusal(cause, refusals) }
    }
    const { exp, iat } = payload
    // JSON can write a number that is infinite once it is read: 1e999.
    if (typeof exp !== 'number' || !Number.isFinite(exp)) return { outcome: refusals.claim }
    if (iat !== undefined && (typeof iat !== 'number' || iat * 1000 > nowMs + skewMs))
      return { outcome: refusals.notYet }
    const untilMs = Math.min(nowMs + config.cacheSeconds * 1000, exp * 1000 + skewMs)
    return { outcome: toPrincipal(payload, kid), valid: { untilMs, keysVersion } }
  }

  return (token) => {
    const hint = readHint(token, algorithms, refusals)
    if (hint instanceof Problem) return hint
    if (hint.expiresMs <= services.clock.now() - skewMs) return refusals.expired
    const found = keys.find(hint)
    const use = (key: FoundKey): Problem | Promise<Verified> => {
      if (key === 'unknown') return refusals.unknownKey
      return key === 'unavailable' ? refusals.keys : verify(token, hint.kid, key)
    }
    if (!(found instanceof Promise)) return use(found)
    return found.then(async (key) => {
      const verified = await use(key)
      return verified instanceof Problem ? { outcome: verified } : verified
    })
  }
}

function toVerifyOptions(config: JwtConfig): JWTVerifyOptions {
  const { issuer, audiences = [], type, maxAgeSeconds, clockSkewSeconds } = config
  return {
    algorithms: [...algorithmsOf(config)],
    clockTolerance: clockSkewSeconds,
    requiredClaims: ['exp'],
    ...(issuer !== undefined && { issuer }),
    ...(audiences.length > 0 && { audience: audiences }),
    ...(type !== undefined && { typ: type }),
    ...(maxAgeSeconds !== undefined && { maxTokenAge: maxAgeSeconds }),
  }
}

const MAX_HEADER_CHARS = 2048
/** What the token says of itself, as far as it can be refused without a key. */
function readHint(
  token: string,
  algorithms: readonly string[],
  refusals: Refusals,
): (KeyHint & { readonly expiresMs: number }) | Problem {
  const [head = '', body = '', signature = '', ...more] = token.split('.', 4)
  if (more.length > 0 || head.length > MAX_HEADER_CHARS) return refusals.malformed
  const header = decodePart(head)
  const claims = header && decodePart(body)
  if (header === undefined || claims === undefined) return refusals.malformed
  if (decodeBytes(signature) === undefined) return refusals.malformed
  const { alg, kid, crit } = header
  if (typeof alg !== 'string' || (kid !== undefined && typeof kid !== 'string')) return refusals.malformed
  if (!algorithms.includes(alg)) return refusals.algorithm
  // Extensions that must be understood (RFC 7515 §4.1.11): we understand none.
  if (crit !== undefined) return refusals.algorithm
  return { alg, kid, expiresMs: typeof claims['exp'] === 'number' ? claims['exp'] * 1000 : Infinity }
}

function decodePart(part: string): Record<string, unknown> | undefined {
  const text = decodeBytes(part)?.toString() ?? ''
  // Most of what is no token is found without the price of an exception.
  if (!text.trimStart().startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    // Not JSON: that is all that can be said about it.
    return undefined
  }
}

/** One text for the same bytes: blanks, padding and loose bits at the end, which decoders read over, are refused. */
function decodeBytes(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.length > 0 && bytes.toString('base64url') === part ? bytes : undefined
}

function toRefusal(cause: unknown, refusals: Refusals): Problem {
  if (cause instanceof jose().errors.JWTExpired) return cause.claim === 'iat' ? refusals.tooOld : refusals.expired
  if (cause instanceof jose().errors.JWTClaimValidationFailed) return claimRefusal(cause, refusals)
  if (cause instanceof jose().errors.JWSSignatureVerificationFailed) return refusals.signature
  if (cause instanceof jose().errors.JWKSNoMatchingKey || cause instanceof jose().errors.JWKSMultipleMatchingKeys)
    return refusals.unknownKey
  if (cause instanceof jose().errors.JOSEAlgNotAllowed || cause instanceof jose().errors.JOSENotSupported)
    return refusals.algorithm
  if (cause instanceof jose().errors.JOSEError) return refusals.malformed
  // A key of the set that cannot be read is as good as none.
  if (cause instanceof DOMException) return refusals.unknownKey
  // A key that does not fit the algorithm is a TypeError: the token chose an algorithm that its key cannot have.
  if (cause instanceof TypeError) return refusals.algorithm
  throw cause
}

function claimRefusal({ claim, reason }: errors.JWTClaimValidationFailed, refusals: Refusals): Problem {
  if (claim === 'iss') return refusals.issuer
  if (claim === 'aud') return refusals.audience
  if (claim === 'typ') return refusals.type
  if (claim === 'exp' && reason === 'missing') return refusals.endless
  if ((claim === 'nbf' || claim === 'iat') && reason === 'check_failed') return refusals.notYet
  return refusals.claim
}

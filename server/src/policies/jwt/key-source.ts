/** Where the keys come from that signatures are verified with. */
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import type { JWTVerifyGetKey } from 'jose'
import type { PolicyServices } from '../../kernel/policy-services.ts'
import type { JwtConfig } from './jwt-config.ts'
import { remoteKeySetOf } from './remote-key-set.ts'
import { jose } from './jose.ts'

/** The part of a token's header that chooses the key; nobody vouches for it yet. */
export interface KeyHint {
  readonly alg: string
  readonly kid: string | undefined
}

export type VerificationKey = JWTVerifyGetKey | KeyObject

/** The key or key set to verify with; `unknown` when it does not have the key, `unavailable` when there are no keys now. */
export type FoundKey = VerificationKey | 'unknown' | 'unavailable'

export interface KeySource {
  /** Changes with the keys: what was verified with other ones has to be verified again. */
  readonly version: number
  /** At once where the keys are here. */
  find(hint: KeyHint): FoundKey | Promise<FoundKey>
}

export function createKeySource(config: JwtConfig, services: PolicyServices): KeySource {
  if (config.jwksUrl !== undefined) return remoteKeySetOf(config.jwksUrl, config, services)
  if (config.jwks !== undefined) {
    const { keys } = config.jwks
    const resolve = jose().createLocalJWKSet({ keys })
    const knows = (kid: string | undefined): boolean => kid === undefined || keys.some((key) => key.kid === kid)
    return { version: 0, find: ({ kid }) => (knows(kid) ? resolve : 'unknown') }
  }
  const key = staticKey(config)
  return { version: 0, find: () => key }
}

function staticKey({ publicKey, secret, secretEncoding }: JwtConfig): KeyObject {
  if (publicKey !== undefined) return createPublicKey(publicKey)
  if (secret !== undefined) return createSecretKey(Buffer.from(secret, secretEncoding))
  throw new Error('jwt has no keys')
}

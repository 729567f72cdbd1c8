/**
 * Tells who is calling by a signed token (JWT, RFC 7519). A token is verified once and then remembered by its SHA-256
 * for a short time, so that the usual request costs one hash and stays synchronous.
 */
import { hash } from 'node:crypto'
import type { Exchange } from '../../kernel/exchange.ts'
import { definePolicy, type Answer } from '../../kernel/policy.ts'
import type { Principal } from '../../kernel/principal.ts'
import { Problem } from '../../kernel/problem.ts'
import { checkKeys } from './check-keys.ts'
import { jwtConfig } from './jwt-config.ts'
import { createKeySource } from './key-source.ts'
import { createRefusals, jwtProblems } from './refusals.ts'
import { TokenCache } from './token-cache.ts'
import { createTokenVerifier, type Verified } from './verify-token.ts'

export const jwt = definePolicy({
  kind: 'jwt',
  title: 'JWT',
  summary: 'Lets in callers with a signed token of an issuer that is trusted.',
  stability: 'stable',
  config: jwtConfig,
  examples: [
    {
      title: 'Access tokens of an identity provider',
      config: {
        jwksUrl: 'https://login.example.com/.well-known/jwks.json',
        issuer: 'https://login.example.com/',
        audiences: ['https://api.example.com'],
        requiredScopes: ['books:read'],
      },
    },
    {
      title: 'The application of a token is a consumer',
      config: {
        jwksUrl: 'https://login.example.com/.well-known/jwks.json',
        issuer: 'https://login.example.com/',
        audiences: ['books'],
        consumer: { claim: 'azp' },
      },
    },
    {
      title: 'Tokens that a service of our own signs with a shared secret',
      config: { secret: '${JWT_SECRET_OF_32_BYTES_OR_MORE}', audiences: ['books'] },
    },
  ],
  problems: jwtProblems,
  gives: ['principal'],

  credentialPlaces: ({ header }) => [{ in: 'field', name: header.toLowerCase() }],

  check(config, check) {
    checkKeys(config, check)
    if (config.scheme === '' && config.header.toLowerCase() === 'authorization') {
      check.report(['scheme'], 'the authorization header has a scheme before the token, such as Bearer')
    }
  },

  setup(config, services) {
    const header = config.header.toLowerCase()
    const refusals = createRefusals({ ...config, header })
    const keys = createKeySource(config, services)
    const verify = createTokenVerifier(config, refusals, keys, services)
    const cache = new TokenCache<Principal | Problem>(config.cachedTokens)
    const underWay = new Map<string, Promise<Verified>>()

    const admit = (exchange: Exchange, outcome: Principal | Problem): Answer => {
      if (outcome instanceof Problem) return outcome
      exchange.principal = outcome
      if (!config.keepCredential) exchange.request.fields.remove(header)
      return undefined
    }

    /** Many requests may come with one new token at once; its signature is checked for all of them together. */
    const verifyOnce = (token: string, tokenHash: string): Problem | Promise<Verified> => {
      const running = underWay.get(tokenHash)
      if (running !== undefined) return running
      const started = verify(token)
      if (started instanceof Problem) return started
      const finished = started
        .then((verified) => {
          const { outcome, valid } = verified
          if (valid !== undefined) cache.set(tokenHash, outcome, valid.untilMs, valid.keysVersion)
          return verified
        })
        .finally(() => underWay.delete(tokenHash))
      underWay.set(tokenHash, finished)
      return finished
    }

    return {
      claims: { request: (name) => name.replaceAll('_', '-') === header },
      request(exchange) {
        const { fields } = exchange.request
        // Somebody who looks at the other field would see another caller, so none of them counts.
        if (fields.count(header) > 1) return refusals.ambiguous
        const token = readToken(fields.get(header), config.scheme)
        if (token === undefined) return config.optional ? undefined : refusals.missing
        if (token.length > config.maxTokenBytes) return refusals.tooLong
        const tokenHash = hash('sha256', token)
        const known = cache.get(tokenHash, services.clock.now(), keys.version)
        if (known !== undefined) return admit(exchange, known)
        const verified = verifyOnce(token, tokenHash)
        return verified instanceof Problem ? verified : verified.then(({ outcome }) => admit(exchange, outcome))
      },
      dropCredential({ request: { fields } }) {
        const holdsToken = (value: string, at: number): boolean =>
          fields.names[at] === header && readToken(value, config.scheme) !== undefined
        // Credentials of another scheme are not ours to take away.
        if (!config.keepCredential && fields.values.some(holdsToken)) fields.remove(header)
      },
    }
  },
})

/** The token behind the scheme (RFC 6750 §2.1), undefined when there is none; schemes have no case. */
function readToken(value: string | undefined, scheme: string): string | undefined {
  if (value === undefined) return undefined
  if (scheme === '') return value === '' ? undefined : value
  if (value.length <= scheme.length || value.charCodeAt(scheme.length) !== SPACE) return undefined
  if (value.slice(0, scheme.length).toLowerCase() !== scheme.toLowerCase()) return undefined
  return value.slice(scheme.length + 1).trim() || undefined
}

const SPACE = 0x20

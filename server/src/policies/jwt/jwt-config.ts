/** What a `jwt` entry says. Keys come from exactly one place; see `check-keys.ts` for what is refused. */
import { z } from 'zod'
import { fieldName } from '../../kernel/field-syntax.ts'

/** Algorithms by the kind of key that they need (RFC 7518 §3.1, RFC 8037, RFC 9864). There is no `none`. */
export const publicKeyAlgorithms = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ')
export const secretAlgorithms = ['HS256', 'HS384', 'HS512']

const jwk = z.looseObject({
  kty: z
    .string()
    .meta({ title: 'Kind', description: 'Kind of the key: `RSA`, `EC` or `OKP`. Its own members follow.' }),
  kid: z.string().optional().meta({ title: 'Id', description: 'What tokens name the key by.' }),
  alg: z.string().optional().meta({ title: 'Algorithm', description: 'The one algorithm that the key is for.' }),
})
export type Jwk = z.output<typeof jwk>

/** A JSON Web Key Set (RFC 7517 §5), from a configuration or from the network. */
export const keySet = z.object({
  keys: z.array(jwk).max(100).meta({ title: 'Keys', description: 'The public keys (JWK, RFC 7517).' }),
})

const claimName = z.string().min(1).max(200)

const keySources = {
  jwksUrl: z.string().max(2000).optional().meta({
    title: 'Key set address',
    description: 'Where the issuer publishes its keys (JWKS); `https`, or `http` on this machine.',
  }),
  jwks: keySet.optional().meta({ title: 'Key set', description: 'The keys themselves, as a JWKS document.' }),
  publicKey: z.string().max(20_000).optional().meta({
    title: 'Public key',
    description: 'One key or certificate in PEM.',
  }),
  secret: z.string().min(1).max(2000).optional().meta({
    title: 'Secret',
    description:
      'What the issuer and this gateway share, for HS256, HS384 and HS512 only: at least 32, 48 or 64 bytes.',
    secret: true,
  }),
  secretEncoding: z.enum(['utf8', 'base64', 'base64url']).default('utf8').meta({
    title: 'Encoding of the secret',
    description: 'How the bytes of the secret are written.',
  }),
  algorithms: z
    .array(z.enum([...publicKeyAlgorithms, ...secretAlgorithms]))
    .min(1)
    .optional()
    .meta({
      title: 'Algorithms',
      description: 'Signatures that count. Default: all for public keys, HS256 for a secret.',
    }),
}

const expectations = {
  issuer: z.string().min(1).max(1000).optional().meta({
    title: 'Issuer',
    description: 'What `iss` has to be. Required with `jwksUrl`.',
  }),
  audiences: z.array(z.string().min(1).max(1000)).max(50).optional().meta({
    title: 'Audiences',
    description: '`aud` has to name one of these. Required with `jwksUrl`; an empty list says that any will do.',
  }),
  type: z.string().min(1).max(100).optional().meta({
    title: 'Type',
    description: 'What `typ` of the header has to be, such as `at+jwt` for access tokens (RFC 9068).',
  }),
  requiredScopes: z
    .array(z.string().regex(/^[!#-[\]-~]+$/, 'a scope of RFC 6749: no blanks or quotes'))
    .max(50)
    .default([])
    .meta({
      title: 'Required scopes',
      description: 'Scopes that a token must have, all of them.',
    }),
  clockSkewSeconds: z.int().min(0).max(300).default(30).meta({
    title: 'Clock skew',
    description: 'How far the clock of the issuer may be off.',
    unit: 'seconds',
  }),
  maxAgeSeconds: z.int().min(1).optional().meta({
    title: 'Highest age',
    description: 'Refuse tokens that were issued longer ago, whatever they say of their own expiry.',
    unit: 'seconds',
  }),
}

const identity = {
  consumer: z
    .strictObject({
      claim: claimName.meta({
        title: 'Claim',
        description: 'Holds the name of a consumer, e.g. `azp` or `client_id`.',
      }),
      unknown: z.enum(['refuse', 'allow']).default('refuse').meta({
        title: 'Unknown consumers',
        description: 'What happens when no consumer has that name.',
      }),
    })
    .optional()
    .meta({ title: 'Consumer', description: 'Which consumer of the configuration the caller is.' }),
  rolesClaim: claimName.default('roles').meta({
    title: 'Claim of roles',
    description: 'Holds the roles, as a list or one text; `realm_access.roles` looks below.',
  }),
}

const transport = {
  header: fieldName
    .default('authorization')
    .meta({ title: 'Header', description: 'Request header that carries the token.' }),
  scheme: z
    .string()
    .regex(/^([A-Za-z][A-Za-z0-9-]*)?$/, 'a word such as Bearer')
    .default('Bearer')
    .meta({
      title: 'Scheme',
      description: 'Word before the token; empty when the header holds the token alone.',
    }),
  optional: z.boolean().default(false).meta({
    title: 'Optional',
    description: 'Let requests without a token pass as anonymous. A wrong token is refused all the same.',
  }),
  keepCredential: z.boolean().default(false).meta({
    title: 'Keep the token',
    description: 'Send the token on to the upstream instead of taking it away.',
  }),
  realm: z
    .string()
    .max(64)
    .regex(/^[ !#-[\]-~]*$/, 'plain text without quotes')
    .default('headgate')
    .meta({
      title: 'Realm',
      description: 'Names the protected area in `WWW-Authenticate`.',
    }),
}

const limits = {
  maxTokenBytes: z.int().min(100).max(65_536).default(8192).meta({
    title: 'Longest token',
    description: 'Longer tokens are refused unread.',
    unit: 'bytes',
  }),
  cachedTokens: z.int().min(0).max(1_000_000).default(5000).meta({
    title: 'Remembered tokens',
    description: 'How many verified tokens each worker remembers, so that their signature is checked once.',
  }),
  cacheSeconds: z.int().min(0).max(3600).default(60).meta({
    title: 'Remembered for',
    description: 'How long a verified token is remembered, at most until it expires.',
    unit: 'seconds',
  }),
  refetchSeconds: z.int().min(1).max(3600).default(30).meta({
    title: 'Refetch interval',
    description: 'A token with an unknown key makes the key set be fetched anew, at most once in this time.',
    unit: 'seconds',
  }),
  staleSeconds: z.int().min(0).max(604_800).default(21_600).meta({
    title: 'Stale keys',
    description: 'How long keys still count after their time when the key set cannot be fetched.',
    unit: 'seconds',
  }),
  allowInsecureUrl: z.boolean().default(false).meta({
    title: 'Allow plain http',
    description: 'Let `jwksUrl` be plain http to another machine. Whoever can change that answer can make tokens.',
  }),
}

export const jwtConfig = z.strictObject({ ...keySources, ...expectations, ...identity, ...transport, ...limits })
export type JwtConfig = z.output<typeof jwtConfig>

/** The algorithms that count, with the default for the kind of key. */
export function algorithmsOf({ algorithms, secret }: JwtConfig): readonly string[] {
  return algorithms ?? (secret === undefined ? publicKeyAlgorithms : ['HS256'])
}

/** Tells who is calling by an API key. Keys are known by their hash alone; see `kernel/consumers.ts`. */
import { z } from 'zod'
import type { ConsumerCredential } from '../../kernel/consumers.ts'
import { fieldName } from '../../kernel/field-syntax.ts'
import { definePolicy } from '../../kernel/policy.ts'
import type { Principal } from '../../kernel/principal.ts'
import { defineProblem } from '../../kernel/problem.ts'
import { AMBIGUOUS, createKeyReader } from './read-key.ts'

const missing = defineProblem({
  code: 'key_auth.missing',
  status: 401,
  title: 'API key missing',
  blame: 'caller',
  credential: 'absent',
  remedy: 'Send the API key where the detail says. Keys are handed out by whoever runs the API.',
})
const invalid = defineProblem({
  code: 'key_auth.invalid',
  status: 401,
  title: 'API key not valid',
  blame: 'caller',
  credential: 'unknown',
  remedy:
    'Check that the whole key was copied and that it belongs to this gateway. A key that was removed from the configuration no longer counts.',
})
const expired = defineProblem({
  code: 'key_auth.expired',
  status: 401,
  title: 'API key expired',
  blame: 'caller',
  credential: 'refused',
  remedy: 'Ask whoever runs the API for a new key; the operator can give the consumer one, or move its `expiresAt`.',
})
const ambiguous = defineProblem({
  code: 'key_auth.ambiguous',
  status: 400,
  title: 'Different API keys in one request',
  blame: 'caller',
  credential: 'refused',
  remedy: 'Send one key, in one place. A proxy on the way may add a key of its own beside yours.',
})

/** Longer than any key in use; more is refused before it is hashed. */
const MAX_KEY_CHARS = 512

/** What can stand between quotes in a challenge as it is. */
const realmText = z
  .string()
  .max(64)
  .regex(/^[ !#-[\]-~]*$/, 'plain text without quotes')

const config = z.strictObject({
  header: fieldName.default('x-api-key').meta({ title: 'Header', description: 'Request header that carries the key.' }),
  scheme: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]*$/, 'a word such as Bearer')
    .optional()
    .meta({
      title: 'Authorization scheme',
      description: 'Also take the key from `authorization: <scheme> <key>`, for example `Bearer`.',
    }),
  query: z.string().min(1).max(64).optional().meta({
    title: 'Query parameter',
    description:
      'Also take the key from this query parameter. Addresses end up in logs and histories: prefer a header.',
  }),
  optional: z.boolean().default(false).meta({
    title: 'Optional',
    description: 'Let requests without a key pass as anonymous. A wrong key is refused all the same.',
  }),
  keepCredential: z.boolean().default(false).meta({
    title: 'Keep the key',
    description: 'Send the key on to the upstream instead of taking it away.',
  }),
  realm: realmText.default('headgate').meta({
    title: 'Realm',
    description: 'Names the protected area in `WWW-Authenticate`.',
  }),
})

export const keyAuth = definePolicy({
  kind: 'key-auth',
  title: 'API key',
  summary: 'Lets in callers that present an API key of a consumer.',
  stability: 'stable',
  config,
  examples: [
    { title: 'A key in the x-api-key header', config: {} },
    { title: 'A key as bearer token, as SDKs of model providers send it', config: { scheme: 'Bearer' } },
    { title: 'Known callers and anonymous ones', config: { optional: true } },
  ],
  problems: [missing, invalid, expired, ambiguous],
  gives: ['principal'],
  usesKeys: true,

  credentialPlaces: ({ header, scheme, query }) => [
    { in: 'field', name: header.toLowerCase() },
    ...(scheme === undefined ? [] : [{ in: 'field', name: 'authorization' } as const]),
    ...(query === undefined ? [] : [{ in: 'query', name: query } as const]),
  ],

  check({ header }, check) {
    if (header.toLowerCase() !== 'authorization') return
    check.report(['header'], 'the authorization header has a scheme before the key: give `scheme` instead')
  },

  setup(config, { consumers, clock }) {
    const header = config.header.toLowerCase()
    const reader = createKeyReader({ ...config, header })
    // The same fields come with other queries: they would keep a key that none of them has, and compare others with it.
    const mayRepeat = config.query === undefined
    const headers = { 'www-authenticate': challengeOf(config) }
    // One object for all occurrences: refusals are what attackers ask for, so they cost nothing.
    const noKey = missing({ headers, detail: `No API key was sent. Send it in ${reader.places.join(' or in ')}.` })
    const wrongKey = invalid({ headers, detail: 'The API key is not known.' })
    const oldKey = expired({ headers, detail: 'The API key has expired.' })
    const manyKeys = ambiguous({ detail: 'The request carries API keys that differ.' })
    return {
      claims: { request: (name) => name.replaceAll('_', '-') === header },
      request(exchange) {
        const key = reader.read(exchange.request)
        if (key === undefined) return config.optional ? undefined : noKey
        if (key === AMBIGUOUS) return manyKeys
        if (key.length > MAX_KEY_CHARS) return wrongKey
        const found = consumers.byKey(key, mayRepeat ? exchange.request.fields : undefined)
        if (found === undefined) return wrongKey
        if (found.expiresAtMs !== undefined && found.expiresAtMs <= clock.now()) return oldKey
        exchange.principal = toPrincipal(found)
        if (!config.keepCredential) reader.remove(exchange.request)
        return undefined
      },
      dropCredential({ request }) {
        if (!config.keepCredential) reader.remove(request)
      },
    }
  },
})

/** There is no registered scheme for API keys, so ours says in words where the key belongs (RFC 9110 §11.6.1). */
function challengeOf({ header, scheme, realm }: z.output<typeof config>): string {
  return scheme === undefined ? `ApiKey realm="${realm}", header="${header}"` : `${scheme} realm="${realm}"`
}

function toPrincipal({ consumer, credential, scopes, roles }: ConsumerCredential): Principal {
  return { id: consumer, consumer, credential, by: 'key-auth', scopes, roles, claims: NO_CLAIMS }
}

const NO_CLAIMS = {}

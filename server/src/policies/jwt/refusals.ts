/** How a token can be refused; every answer is made once per entry, because attackers choose how often it is given. */
import { defineProblem, type Problem, type ProblemFactory } from '../../kernel/problem.ts'
import type { JwtConfig } from './jwt-config.ts'

const missing = defineProblem({
  code: 'jwt.missing',
  status: 401,
  title: 'Token missing',
  blame: 'caller',
  credential: 'absent',
  remedy: 'Get a token from the authorization server and send it as the detail says.',
})
const ambiguous = defineProblem({
  code: 'jwt.ambiguous',
  status: 400,
  title: 'Several tokens in one request',
  blame: 'caller',
  credential: 'refused',
  remedy: 'Send one token, in one header field.',
})
const invalid = defineProblem({
  code: 'jwt.invalid',
  status: 401,
  title: 'Token not valid',
  blame: 'caller',
  credential: 'unknown',
  remedy:
    'Check that the whole token was copied and that it comes from the issuer that this API trusts. An operator compares `issuer`, `algorithms` and the keys with what the token says.',
})
const expired = defineProblem({
  code: 'jwt.expired',
  status: 401,
  title: 'Token expired',
  blame: 'caller',
  credential: 'refused',
  remedy:
    'Get a new token. When it happens with new ones, compare the clocks of the issuer, the caller and the gateway.',
})
const notAccepted = defineProblem({
  code: 'jwt.not_accepted',
  status: 401,
  title: 'Token not meant for this',
  blame: 'caller',
  credential: 'refused',
  remedy: 'Ask the authorization server for a token for this API: the detail says which claim does not fit.',
})
const insufficientScope = defineProblem({
  code: 'jwt.insufficient_scope',
  status: 403,
  title: 'Scope missing',
  blame: 'caller',
  credential: 'refused',
  remedy: 'Ask the authorization server for a token with the scopes in the detail.',
})
const unknownConsumer = defineProblem({
  code: 'jwt.unknown_consumer',
  status: 403,
  title: 'Application not known',
  blame: 'caller',
  credential: 'refused',
  remedy:
    'The token is valid, but its application is no consumer here. The operator adds a consumer with the name that the claim holds, or sets `consumer.unknown` to `allow`.',
})
const keysUnavailable = defineProblem({
  code: 'jwt.keys_unavailable',
  status: 503,
  title: 'Keys of the issuer not available',
  blame: 'operator',
  remedy:
    'The key set could not be fetched, and none that still counts is known. Try again later; the operator finds the reason in the log and checks `jwksUrl` from the machine of the gateway.',
})

export const jwtProblems: readonly ProblemFactory[] = [
  missing,
  ambiguous,
  invalid,
  expired,
  notAccepted,
  insufficientScope,
  unknownConsumer,
  keysUnavailable,
]

export type Refusals = ReturnType<typeof createRefusals>

/** Makes every refusal of one entry, each with its challenge (RFC 6750 §3). */
export function createRefusals({ realm, header, scheme, requiredScopes }: JwtConfig) {
  const where = scheme === '' ? `\`${header}: <token>\`` : `\`${header}: ${scheme} <token>\``
  /** RFC 6750 §3: no error code for a request without a token, one for all others. */
  const refuse = (problem: ProblemFactory, detail: string, error?: string): Problem => {
    const told = error === undefined ? '' : `, error="${error}", error_description="${detail}"`
    return problem({ detail, headers: { 'www-authenticate': `Bearer realm="${realm}"${told}` } })
  }
  const scopes = requiredScopes.join(' ')
  return {
    missing: refuse(missing, `No token was sent. Send it as ${where}.`),
    ambiguous: ambiguous({ detail: `The request has more than one ${header} field.` }),
    tooLong: refuse(invalid, 'The token is too long', 'invalid_token'),
    malformed: refuse(invalid, 'The token is not a signed JWT', 'invalid_token'),
    algorithm: refuse(invalid, 'The token is signed in a way that does not count here', 'invalid_token'),
    unknownKey: refuse(invalid, 'The token is signed with a key that is not known', 'invalid_token'),
    signature: refuse(invalid, 'The signature of the token does not fit', 'invalid_token'),
    issuer: refuse(invalid, 'The token is from another issuer', 'invalid_token'),
    expired: refuse(expired, 'The token has expired', 'invalid_token'),
    tooOld: refuse(expired, 'The token was issued too long ago', 'invalid_token'),
    endless: refuse(notAccepted, 'The token does not say when it expires', 'invalid_token'),
    notYet: refuse(notAccepted, 'The token does not count yet', 'invalid_token'),
    audience: refuse(notAccepted, 'The token is for another audience', 'invalid_token'),
    type: refuse(notAccepted, 'The token is of another type', 'invalid_token'),
    subject: refuse(notAccepted, 'The token does not say who it is for', 'invalid_token'),
    claim: refuse(notAccepted, 'A claim of the token is not of the right form', 'invalid_token'),
    consumer: refuse(unknownConsumer, 'The application of the token is not known here'),
    keys: keysUnavailable({ detail: 'The token cannot be checked now.', headers: { 'retry-after': '5' } }),
    scope: insufficientScope({
      detail: `The token needs the scopes ${scopes}.`,
      headers: { 'www-authenticate': `Bearer realm="${realm}", error="insufficient_scope", scope="${scopes}"` },
    }),
  }
}

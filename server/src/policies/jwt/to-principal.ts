/** Who a verified token is about, and what that allows. */
import type { Consumers } from '../../kernel/consumers.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts'
import type { Principal } from '../../kernel/principal.ts'
import type { Problem } from '../../kernel/problem.ts'
import type { ConsumerSpec } from '../../kernel/snapshot.ts'
import type { JwtConfig } from './jwt-config.ts'
import type { Refusals } from './refusals.ts'

const MAX_SUBJECT_CHARS = 512

export function createPrincipalMaker(
  { requiredScopes, consumer: mapping, rolesClaim }: JwtConfig,
  refusals: Refusals,
  consumers: Consumers,
): (claims: JsonObject, kid: string | undefined) => Principal | Problem {
  return (claims, kid) => {
    const scopes = scopesOf(claims)
    if (!requiredScopes.every((scope) => scopes.includes(scope))) return refusals.scope
    const consumer = mapping === undefined ? undefined : consumerOf(claims[mapping.claim], consumers)
    if (consumer === undefined && mapping?.unknown === 'refuse') return refusals.consumer
    const id = consumer?.name ?? subjectOf(claims)
    if (id === undefined) return refusals.subject
    return {
      id,
      consumer: consumer?.name,
      credential: kid ?? 'token',
      by: 'jwt',
      // The token alone says what its owner may do; what the consumer may do otherwise does not add to it.
      scopes,
      roles: [...new Set([...textsOf(valueAt(claims, rolesClaim)), ...(consumer?.roles ?? [])])],
      claims,
    }
  }
}

function consumerOf(name: JsonValue | undefined, consumers: Consumers): ConsumerSpec | undefined {
  return typeof name === 'string' ? consumers.byName(name) : undefined
}

/** With its issuer, so that nobody shares a limit or a name with a consumer or with somebody else's `sub`. */
function subjectOf({ iss, sub }: JsonObject): string | undefined {
  if (typeof sub !== 'string' || sub === '' || sub.length > MAX_SUBJECT_CHARS) return undefined
  return `${typeof iss === 'string' ? iss : ''}#${sub}`
}

/** `scope` as a text with blanks (RFC 8693 §4.2), or `scp`, as some issuers name it, in either form. */
function scopesOf({ scope, scp }: JsonObject): readonly string[] {
  return [...textsOf(scope), ...textsOf(scp)].flatMap((text) => text.split(' ')).filter((each) => each !== '')
}

function textsOf(value: JsonValue | undefined): readonly string[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

/** The claim of that very name, which may have dots in it, or the one that the dots lead to. */
function valueAt(claims: JsonObject, name: string): JsonValue | undefined {
  if (Object.hasOwn(claims, name)) return claims[name]
  let found: JsonValue | undefined = claims
  for (const part of name.split('.')) {
    if (!isJsonObject(found) || !Object.hasOwn(found, part)) return undefined
    found = found[part]
  }
  return found
}

/** Trailers of a request (RFC 9113 §8.1): what they may not say is refused or dropped, as in HTTP/1.1. */
import { Fields } from '../../kernel/fields.ts'
import type { Problem } from '../../kernel/problem.ts'
import { ROLE_ORDINARY, ROLE_WEBSOCKET_KEY, isTrailerAllowed } from '../http1/field-names.ts'
import { tooManyFields } from '../http1/flaws.ts'
import { SectionFacts, isAboutMessage, note } from '../http1/parse-fields.ts'
import { malformedRequest } from '../http1/problems.ts'
import { badPseudo, type FieldEntry } from './field-entry.ts'
import { ROLE_COOKIE } from './field-roles.ts'

const badTrailers = malformedRequest({ detail: 'A trailer is about the message or its connection (RFC 9110 §6.5.1).' })

export function readTrailers(section: readonly FieldEntry[], maxFields: number): Fields | Problem {
  if (section.length > maxFields) return tooManyFields.inRequest
  const fields = new Fields()
  const facts = new SectionFacts()
  for (const { name, value, role, flaw } of section) {
    if (flaw !== undefined) return flaw
    if (role > ROLE_COOKIE) return badPseudo
    const noted = role === ROLE_ORDINARY || role === ROLE_COOKIE ? undefined : note(role, value, facts)
    if (noted !== undefined) return noted.inRequest
    const isPassedOn = role === ROLE_ORDINARY || (role >= ROLE_WEBSOCKET_KEY && role !== ROLE_COOKIE)
    if (isPassedOn && isTrailerAllowed(name)) fields.append(name, value)
  }
  return isAboutMessage(facts) ? badTrailers : fields
}

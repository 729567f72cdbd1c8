/**
 * A field as HPACK's tables keep it: judged once, when it is read, so that a request which names it by its index costs
 * nothing to check. A field that breaks a rule is kept as well, since the tables of both ends must stay the same; it
 * says what to answer to a request that has it.
 */
import type { Problem } from '../../kernel/problem.ts'
import { ROLE_TE } from '../http1/field-names.ts'
import { DEL, HTAB, SP } from '../http1/grammar.ts'
import { malformedRequest } from '../http1/problems.ts'
import { ROLE_BAD_NAME, ROLE_UNKNOWN_PSEUDO, lastRole, readName } from './field-roles.ts'

export const badPseudo = malformedRequest({
  detail: 'A pseudo field is missing, repeated, unknown or out of place (RFC 9113 §8.3.1).',
})
const badName = malformedRequest({ detail: 'A field name is no token or not in lower case (RFC 9113 §8.2.1).' })
const badValue = malformedRequest({
  detail: 'A field value holds a control character, or whitespace around it (RFC 9113 §8.2.1).',
})
const badConnection = malformedRequest({
  detail: 'The request carries a field of HTTP/1.1 connections (RFC 9113 §8.2.2).',
})

/** What the tables count for a field besides its characters (RFC 7541 §4.1). */
const OVERHEAD_BYTES = 32

export class FieldEntry {
  readonly name: string
  readonly value: string
  readonly role: number
  readonly flaw: Problem | undefined
  readonly sizeBytes: number

  constructor(name: string, role: number, value: string, isValue: boolean) {
    this.name = name
    this.value = value
    this.role = role
    this.flaw = isValue ? toFlaw(role, value) : badValue
    this.sizeBytes = name.length + value.length + OVERHEAD_BYTES
  }
}

function toFlaw(role: number, value: string): Problem | undefined {
  if (role === ROLE_TE) return value === 'trailers' ? undefined : badConnection
  if (role < ROLE_UNKNOWN_PSEUDO) return undefined
  if (role === ROLE_UNKNOWN_PSEUDO) return badPseudo
  return role === ROLE_BAD_NAME ? badName : badConnection
}

/** Whether bytes[from, to) can be a value: no control character but HTAB, no whitespace around it. */
export function isValue(bytes: Uint8Array, from: number, to: number): boolean {
  if (from === to) return true
  if (isWhitespace(bytes[from] ?? 0) || isWhitespace(bytes[to - 1] ?? 0)) return false
  for (let at = from; at < to; at++) {
    const code = bytes[at] ?? 0
    if ((code < SP && code !== HTAB) || code === DEL) return false
  }
  return true
}

function isWhitespace(code: number): boolean {
  return code === SP || code === HTAB
}

/** An entry from texts, for the static table. */
export function toEntry(name: string, value: string): FieldEntry {
  const bytes = Buffer.from(name, 'latin1')
  const known = readName(bytes, 0, bytes.length)
  return new FieldEntry(known, lastRole, value, true)
}

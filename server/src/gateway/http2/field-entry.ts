/**
 * A field as HPACK's tables keep it: judged once, when it is read, so that a request which names it by its index costs
 * nothing to check. A field that breaks a rule is kept as well, since the tables of both ends must stay the same; it
 * says what to answer to a request that has it.
 */
import type { Problem } from '../../kernel/problem.ts'
import { ROLE_TE, findName, nameAt, roleAt } from '../http1/field-names.ts'
import { DEL, HTAB, LOWER_TOKEN, SP } from '../http1/grammar.ts'
import { malformedRequest } from '../http1/problems.ts'

/** Beyond the roles of `field-names`: what HTTP/2 makes of a name. */
export const ROLE_COOKIE = 64
export const ROLE_METHOD = 65
export const ROLE_SCHEME = 66
export const ROLE_AUTHORITY = 67
export const ROLE_PATH = 68
export const ROLE_PROTOCOL = 69
export const ROLE_UNKNOWN_PSEUDO = 70
export const ROLE_BAD_NAME = 71
/** Belongs to the connections of HTTP/1.1. */
export const ROLE_OTHER_CONNECTION = 72

export const badPseudo = malformedRequest({
  detail: 'A pseudo field is missing, repeated, unknown or out of place (RFC 9113 §8.3.1).',
})
const badName = malformedRequest({ detail: 'A field name is no token or not in lower case (RFC 9113 §8.2.1).' })
const badValue = malformedRequest({
  detail: 'A field value holds a control character, or whitespace around it (RFC 9113 §8.2.1).',
})
const badConnection = malformedRequest({ detail: 'The request carries a field of HTTP/1.1 connections (RFC 9113 §8.2.2).' })

const ownRoles = new Map([
  ['cookie', ROLE_COOKIE],
  [':method', ROLE_METHOD],
  [':scheme', ROLE_SCHEME],
  [':authority', ROLE_AUTHORITY],
  [':path', ROLE_PATH],
  [':protocol', ROLE_PROTOCOL],
])
for (const name of 'connection keep-alive proxy-connection transfer-encoding upgrade http2-settings'.split(' ')) {
  ownRoles.set(name, ROLE_OTHER_CONNECTION)
}

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

/** The name in bytes[from, to), interned, with its role in `lastRole`. */
export function readName(bytes: Buffer, from: number, to: number): string {
  let hash = 0
  for (let at = from; at < to; at++) {
    const code = bytes[at] ?? 0
    if (LOWER_TOKEN[code] !== code) return readOddName(bytes.toString('latin1', from, to))
    hash = (Math.imul(hash, 31) + code) | 0
  }
  if (from === to) return readOddName('')
  const slot = findName(bytes, from, to, hash)
  const name = nameAt[slot] ?? ''
  lastRole = ownRoles.get(name) ?? roleAt[slot] ?? ROLE_BAD_NAME
  return name
}

/** Role of the name that was read last: names are read one at a time on a thread. */
export let lastRole = 0

function readOddName(name: string): string {
  lastRole = name.startsWith(':') ? (ownRoles.get(name) ?? ROLE_UNKNOWN_PSEUDO) : ROLE_BAD_NAME
  return name
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

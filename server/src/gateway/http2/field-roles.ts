/** Field names of HTTP/2, interned by the table of HTTP/1.1, with what a request makes of them. */
import { findName, nameAt, roleAt } from '../http1/field-names.ts'
import { LOWER_TOKEN } from '../http1/grammar.ts'

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

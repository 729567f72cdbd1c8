/**
 * The request target (RFC 9112 §3.2) and its authority. HTTP/1.1 and HTTP/2 read theirs by the same rules, so that
 * neither lets through what the other refuses.
 */
import { isIPv6 } from 'node:net'
import type { Problem } from '../../kernel/problem.ts'
import {
  COLON,
  HOST_CLASS,
  HOST_DOT,
  HOST_UPPER,
  TARGET_CLASS,
  TARGET_PERCENT,
  TARGET_PLAIN,
  TARGET_QUESTION,
  TARGET_REPAIRED,
  isHexPair,
} from './grammar.ts'
import { invalidHost, invalidTarget } from './problems.ts'

/** What a target says; a request head is one. */
export interface TargetParts {
  path: string
  query: string | undefined
  authority: string
  host: string
  absoluteScheme: 'http' | 'https' | undefined
}

const invalidForm = invalidTarget({ detail: 'The target is neither a path nor an http or https URI (RFC 9112 §3.2).' })
const invalidCharacter = invalidTarget({ detail: 'The target holds a character that no URI has (RFC 3986 §3.3).' })
const fragment = invalidTarget({ detail: 'The target has a fragment, which is never sent (RFC 9112 §3.2).' })
const invalidPercent = invalidTarget({ detail: 'A percent sign is not followed by two hex digits (RFC 3986 §2.1).' })
const backslash = invalidTarget({ detail: 'The path holds a backslash, which some take for a slash (RFC 3986 §3.3).' })
const asterisk = invalidTarget({ detail: 'The target `*` is for OPTIONS only (RFC 9112 §3.2.4).' })
const invalidAuthority = invalidHost({ detail: 'The authority of the target is not host and port (RFC 9110 §4.2).' })

const slash = 47
const hash = 35
const star = 42

/** Reads `text[from, to)`; `text` goes on with at least two characters. Fills `parts` or says what is wrong. */
export function parseTarget(
  text: string,
  from: number,
  to: number,
  method: string,
  parts: TargetParts,
): Problem | undefined {
  let question = -1
  let repairs = false
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i)
    const kind = TARGET_CLASS[code]
    if (kind === TARGET_PLAIN) continue
    if (kind === TARGET_PERCENT) {
      if (!isHexPair(text, i + 1)) return invalidPercent
    } else if (kind === TARGET_QUESTION) {
      if (question === -1) question = i
    } else if (kind === TARGET_REPAIRED) repairs = true
    else return code === hash ? fragment : invalidCharacter
  }
  let pathStart = from
  if (text.charCodeAt(from) !== slash) {
    if (to - from === 1 && text.charCodeAt(from) === star) return toAsterisk(method, parts)
    pathStart = readAbsolute(text, from, to, question, parts)
    if (pathStart === -1) return invalidForm
    if (parts.host === '') return invalidAuthority
  }
  const pathEnd = question === -1 ? to : question
  parts.path = pathStart < pathEnd ? text.slice(pathStart, pathEnd) : emptyPath(method, question)
  parts.query = question === -1 ? undefined : text.slice(question + 1, to)
  return repairs ? repair(parts) : undefined
}

function toAsterisk(method: string, parts: TargetParts): Problem | undefined {
  if (method !== 'OPTIONS') return asterisk
  parts.path = '*'
  return undefined
}

/** An absolute-form without a path means the root, or the server itself for OPTIONS (RFC 9112 §3.2.1, §3.2.4). */
function emptyPath(method: string, question: number): string {
  return method === 'OPTIONS' && question === -1 ? '*' : '/'
}

/** Reads scheme and authority of an absolute-form; returns where its path starts, or -1. */
function readAbsolute(text: string, from: number, to: number, question: number, parts: TargetParts): number {
  const colon = text.indexOf('://', from)
  if (colon === -1 || colon - from > 5) return -1
  const scheme = text.slice(from, colon).toLowerCase()
  if (scheme !== 'http' && scheme !== 'https') return -1
  const start = colon + 3
  let end = text.indexOf('/', start)
  const limit = question === -1 ? to : question
  if (end === -1 || end > limit) end = limit
  parts.absoluteScheme = scheme
  parts.authority = text.slice(start, end)
  parts.host = parseHost(parts.authority)
  return end
}

function repair(parts: TargetParts): Problem | undefined {
  if (parts.path.includes('\\')) return backslash
  parts.path = percentEncode(parts.path)
  if (parts.query !== undefined) parts.query = percentEncode(parts.query)
  return undefined
}

function percentEncode(text: string): string {
  let encoded = ''
  let from = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (TARGET_CLASS[code] !== TARGET_REPAIRED) continue
    encoded += `${text.slice(from, i)}%${code.toString(16).toUpperCase()}`
    from = i + 1
  }
  return encoded + text.slice(from)
}

const maxHostBytes = 255

/**
 * The host of an authority in lower case, without port and without a dot at its end; '' when it is not valid. Narrower
 * than RFC 3986 §3.2.2: no percent-encoding, no sub-delims, no userinfo, no empty port.
 */
export function parseHost(authority: string): string {
  if (authority.charCodeAt(0) === 91) return parseAddressLiteral(authority)
  let end = 0
  let isLower = true
  let previous = HOST_DOT
  for (; end < authority.length; end++) {
    const kind = HOST_CLASS[authority.charCodeAt(end)] ?? 0
    if (kind === 0 || (kind === HOST_DOT && previous === HOST_DOT)) break
    if (kind === HOST_UPPER) isLower = false
    previous = kind
  }
  if (end === 0 || end > maxHostBytes || !isPortOrEnd(authority, end)) return ''
  const name = authority.slice(0, previous === HOST_DOT ? end - 1 : end)
  return isLower ? name : name.toLowerCase()
}

function parseAddressLiteral(authority: string): string {
  const end = authority.indexOf(']')
  const address = authority.slice(1, end)
  if (end === -1 || !isIPv6(address) || address.includes('%') || !isPortOrEnd(authority, end + 1)) return ''
  return authority.slice(0, end + 1).toLowerCase()
}

function isPortOrEnd(authority: string, at: number): boolean {
  if (at === authority.length) return true
  const digits = authority.length - at - 1
  if (authority.charCodeAt(at) !== COLON || digits === 0 || digits > 5) return false
  let port = 0
  for (let i = at + 1; i < authority.length; i++) {
    const digit = authority.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return false
    port = port * 10 + digit
  }
  return port > 0 && port <= 65_535
}

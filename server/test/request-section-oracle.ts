/**
 * The long way from an HTTP/2 field section (RFC 9113 §8) to a request: it is written out as the head that an upstream
 * would get and read by the parser of HTTP/1.1. The gateway reads sections directly; this says what must come out.
 */
import { randomBytes } from 'node:crypto'
import type { Problem } from '../src/kernel/problem.ts'
import type { RequestHead } from '../src/gateway/http1/head.ts'
import { parseRequestHead, type HeadLimits } from '../src/gateway/http1/parse.ts'
import { fieldsTooLarge, malformedRequest } from '../src/gateway/http1/problems.ts'

const malformed = (detail: string): Problem => malformedRequest({ detail })
const badPseudo = malformed('A pseudo field is missing, repeated, unknown or out of place (RFC 9113 §8.3.1).')
const badCharacter = malformed(
  'A field holds CR, LF, NUL, or a colon or upper-case letter in its name (RFC 9113 §8.2.1).',
)
const badConnection = malformed('The request carries a field of HTTP/1.1 connections (RFC 9113 §8.2.2).')
const badAuthority = malformed('Host and :authority differ (RFC 9113 §8.3.1).')
const badConnect = malformed('CONNECT is served for WebSocket only (RFC 8441 §4).')
const tooLarge = fieldsTooLarge({ detail: 'The field section is longer than the limit (RFC 9113 §10.5.1).' })

const CONNECTION_FIELDS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])
// oxlint-disable-next-line no-control-regex -- these are what would begin another line
const BAD_VALUE = /[\r\n\0]|^[ \t]|[ \t]$/
const BAD_NAME = /[\r\n\0:A-Z]/
/** Heads are parsed one at a time on a thread. */
const SCRATCH = Buffer.allocUnsafeSlow(65_536)

interface PseudoFields {
  method: string | undefined
  scheme: string | undefined
  authority: string | undefined
  path: string | undefined
  protocol: string | undefined
}

/** Reads a section given as a flat list of names and values; cookies are joined again (RFC 9113 §8.2.3). */
export function parseRequestSection(section: readonly string[], limits: HeadLimits): RequestHead | Problem {
  const pseudo: PseudoFields = {
    method: undefined,
    scheme: undefined,
    authority: undefined,
    path: undefined,
    protocol: undefined,
  }
  let lines = ''
  let host: string | undefined
  const cookies: string[] = []
  let regular = 0
  for (let i = 0; i < section.length; i += 2) {
    const name = section[i] ?? ''
    const value = section[i + 1] ?? ''
    if (BAD_VALUE.test(value)) return badCharacter
    if (name.charCodeAt(0) === 58 /* : */) {
      if (regular > 0 || !takePseudo(pseudo, name, value)) return badPseudo
      continue
    }
    regular++
    if (BAD_NAME.test(name) || name === '') return badCharacter
    else if (CONNECTION_FIELDS.has(name) || (name === 'te' && value !== 'trailers')) return badConnection
    else if (name === 'host') host = host === undefined ? value : `${host},${value}`
    else if (name === 'cookie') cookies.push(value)
    else if (name !== 'te') lines += name + ': ' + value + '\r\n'
    else lines += 'te: trailers\r\n'
  }
  const cookie = cookies.filter((each) => each !== '').join('; ')
  if (cookie !== '') lines += `cookie: ${cookie}\r\n`
  return parsePieces(pseudo, host, lines, limits)
}

function takePseudo(pseudo: PseudoFields, name: string, value: string): boolean {
  const key = name.slice(1)
  if (!(key in pseudo) || pseudo[key as keyof PseudoFields] !== undefined) return false
  pseudo[key as keyof PseudoFields] = value
  return true
}

function parsePieces(
  pseudo: PseudoFields,
  host: string | undefined,
  lines: string,
  limits: HeadLimits,
): RequestHead | Problem {
  const { method, scheme, path, protocol } = pseudo
  const authority = pseudo.authority ?? host
  if (method === undefined || path === undefined || authority === undefined) return badPseudo
  if (scheme !== 'http' && scheme !== 'https') return badPseudo
  if (host !== undefined && host.toLowerCase() !== authority.toLowerCase()) return badAuthority
  // In HTTP/2 a target is a path or `*`; absolute-form and spaces would be read as something else.
  if (path.includes(' ') || (path.charCodeAt(0) !== 47 /* slash */ && path !== '*')) return badPseudo
  if (method.includes(' ') || (method === 'CONNECT') !== (protocol !== undefined)) return badConnect
  if (protocol !== undefined && protocol !== 'websocket') return badConnect
  const line = `${protocol === undefined ? method : 'GET'} ${path} HTTP/1.1\r\nhost: ${authority}\r\n`
  const text = line + lines + (protocol === undefined ? '' : toHandshake(lines)) + '\r\n'
  if (text.length > Math.min(limits.maxHeadBytes, SCRATCH.length)) return tooLarge
  return parseRequestHead(SCRATCH, 0, SCRATCH.write(text, 'latin1'), limits)
}

/** What extended CONNECT leaves out of the handshake (RFC 8441 §5) and an HTTP/1.1 upstream wants (RFC 6455 §4.1). */
function toHandshake(lines: string): string {
  const version = lines.includes('sec-websocket-version: ') ? '' : 'sec-websocket-version: 13\r\n'
  return `connection: upgrade\r\nupgrade: websocket\r\n${version}sec-websocket-key: ${randomBytes(16).toString('base64')}\r\n`
}

/** The head of an upstream's response (RFC 9112 §4, §6.3), read as strictly as a client's request. */
import { Fields } from '../../kernel/fields.ts'
import type { Problem } from '../../kernel/problem.ts'
import * as flaws from './flaws.ts'
import { CR, DEL, HTAB, LF, SP, endsInEmptyLine } from './grammar.ts'
import { CHUNKED, ResponseHead, UNTIL_CLOSE, type HeadLimits } from './head.ts'
import type { LastSection } from './last-section.ts'
import { SectionFacts, dropNominated, parseFields } from './parse-fields.ts'
import { malformedResponse } from './problems.ts'

const headTooLarge = malformedResponse({ detail: 'The head of the response is longer than the limit.' })
const invalidLine = malformedResponse({ detail: 'The status line is not version, status, reason (RFC 9112 §4).' })
const emptyLine = malformedResponse({ detail: 'An empty line stands before the status line (RFC 9112 §2.2).' })
const unknownVersion = malformedResponse({ detail: 'The version is neither 1.0 nor 1.1 (RFC 9112 §2.3).' })
const invalidStatus = malformedResponse({ detail: 'The status is not between 100 and 599 (RFC 9110 §15).' })
const unaskedSwitch = malformedResponse({ detail: 'A 101 that nobody asked for (RFC 9110 §15.2.2).' })
const invalidSwitch = malformedResponse({ detail: 'A 101 that does not switch to WebSocket (RFC 6455 §4.2.2).' })
const interimClose = malformedResponse({ detail: 'A 1xx response says that it is the last (RFC 9110 §15.2).' })
const forbiddenLength = malformedResponse({ detail: 'A 1xx or 204 response has a Content-Length (RFC 9110 §8.6).' })
const forbiddenCoding = malformedResponse({ detail: 'A 1xx or 204 response has Transfer-Encoding (RFC 9112 §6.1).' })

/** Version and status: what stands behind them is checked and dropped. */
const STATUS_LINE_CHARS = 12
const VERSION = Buffer.from('HTTP/1.1 ')

/** Reads the head in bytes[start, end), from the status line up to and including the empty line. */
export function parseResponseHead(
  bytes: Buffer,
  start: number,
  end: number,
  limits: HeadLimits,
  requestMethod: string,
  tunnelRequested: boolean,
  last?: LastSection,
): ResponseHead | Problem {
  if (end - start > limits.maxHeadBytes) return headTooLarge
  if (!endsInEmptyLine(bytes, start, end)) return flaws.unfinishedHead.inResponse
  const response = new ResponseHead(new Fields())
  const wrong = parseStatusLine(bytes, start, response)
  if (wrong !== undefined) return wrong
  const lineEnd = skipReason(bytes, start + STATUS_LINE_CHARS)
  if (lineEnd === -1) return invalidLine
  const facts = parseFields(bytes, lineEnd, end, limits.maxFields, response.fields, last)
  if (!(facts instanceof SectionFacts)) return facts.inResponse
  response.keepAlive = response.version === '1.1' && !facts.close
  if (facts.nominated !== undefined) dropNominated(response.fields, facts.nominated)
  return applyFraming(response, facts, requestMethod) ?? applySwitch(response, facts, tunnelRequested) ?? response
}

function parseStatusLine(bytes: Buffer, start: number, response: ResponseHead): Problem | undefined {
  let at = 0
  while (at < VERSION.length && bytes[start + at] === VERSION[at]) at++
  if (at < VERSION.length) {
    const line = bytes.toString('latin1', start, start + STATUS_LINE_CHARS)
    if (!line.startsWith('HTTP/1.0 ')) return toVersionProblem(line)
    response.version = '1.0'
  }
  let status = 0
  for (let i = VERSION.length; i < STATUS_LINE_CHARS; i++) {
    const digit = (bytes[start + i] ?? 0) - 48
    if (digit < 0 || digit > 9) return invalidLine
    status = status * 10 + digit
  }
  if (status < 100 || status > 599) return invalidStatus
  response.status = status
  return undefined
}

function toVersionProblem(line: string): Problem {
  if (line.startsWith('\r\n')) return emptyLine
  return /^HTTP\/\d\.\d /.test(line) ? unknownVersion : invalidLine
}

/** Where the fields start, or -1. The reason phrase is checked and dropped; without one its space may be missing. */
function skipReason(bytes: Buffer, statusEnd: number): number {
  let at = statusEnd
  let code = bytes[at] ?? 0
  if (code !== SP && code !== CR) return -1
  while ((code >= SP && code !== DEL) || code === HTAB) code = bytes[++at] ?? 0
  return code === CR && bytes[at + 1] === LF ? at + 2 : -1
}

function applyFraming(response: ResponseHead, facts: SectionFacts, requestMethod: string): Problem | undefined {
  const { status } = response
  const { coding, contentLength } = facts
  if (coding !== undefined) {
    if (contentLength !== -1) return flaws.lengthAndCoding.inResponse
    if (response.version === '1.0') return flaws.codingInOldVersion.inResponse
    if (coding.toLowerCase() !== 'chunked') return flaws.invalidCoding.inResponse
  }
  if (status < 200 || status === 204) {
    // A length of zero is common and harmless; any other says that bytes follow which must not.
    if (contentLength > 0) return forbiddenLength
    if (status < 200 && !response.keepAlive) return interimClose
    return coding === undefined ? undefined : forbiddenCoding
  }
  if (requestMethod === 'HEAD' || status === 304) {
    if (contentLength !== -1) response.fields.append('content-length', String(contentLength))
  } else if (coding !== undefined) response.bodyBytes = CHUNKED
  else if (contentLength !== -1) response.bodyBytes = contentLength
  else {
    response.bodyBytes = UNTIL_CLOSE
    response.keepAlive = false
  }
  return undefined
}

function applySwitch(response: ResponseHead, facts: SectionFacts, tunnelRequested: boolean): Problem | undefined {
  if (response.status !== 101) return undefined
  if (!tunnelRequested) return unaskedSwitch
  const isWebsocket = facts.upgradeNominated && facts.upgrade?.length === 1 && facts.upgrade[0] === 'websocket'
  if (!isWebsocket || response.version === '1.0' || response.fields.count('sec-websocket-accept') !== 1) {
    return invalidSwitch
  }
  response.upgrade = true
  return undefined
}

/** The head of a request (RFC 9112 §3, §5, §6): strict, without exceptions, and without building anything to refuse. */
import { Fields } from '../../kernel/fields.ts'
import type { Problem } from '../../kernel/problem.ts'
import * as flaws from './flaws.ts'
import { CR, LF, endsInEmptyLine, isToken } from './grammar.ts'
import { CHUNKED, RequestHead, type HeadLimits } from './head.ts'
import type { LastSection } from './last-section.ts'
import { SectionFacts, dropNominated, parseFields } from './parse-fields.ts'
import * as problems from './problems.ts'
import { parseHost, parseTarget } from './target.ts'

/** The registered methods that are served; no other name ever reaches a policy. */
const methods = new Map(
  `GET HEAD POST PUT DELETE PATCH OPTIONS QUERY ACL BIND CHECKOUT COPY LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR
  MKCOL MOVE NOTIFY PROPFIND PROPPATCH PURGE REBIND REPORT SEARCH SUBSCRIBE UNBIND UNLINK UNLOCK UNSUBSCRIBE`
    .split(/\s+/)
    .map((name) => [name, name]),
)
const maxMethodBytes = 32

const invalidLine = problems.malformedRequest({
  detail: 'The request line is not method, target, version (RFC 9112 §3).',
})
const invalidMethod = problems.malformedRequest({ detail: 'The method is not a token (RFC 9110 §9.1).' })
const unknownMethod = problems.methodNotImplemented({ detail: 'The method is not one that is served (RFC 9110 §9.1).' })
const targetTooLong = problems.targetTooLong({ detail: 'The target is longer than the limit (RFC 9110 §15.5.15).' })
const headTooLarge = problems.fieldsTooLarge({ detail: 'The head is longer than the limit (RFC 6585 §5).' })
const unknownVersion = problems.versionNotSupported({
  detail: 'The version is neither 1.0 nor 1.1 (RFC 9110 §15.6.6).',
})
const invalidHost = problems.invalidHost({ detail: 'Host is not host and port (RFC 9112 §3.2).' })
const unknownCoding = problems.codingNotImplemented({ detail: 'A coding besides chunked is used (RFC 9112 §6.1).' })
const unknownExpectation = problems.expectationFailed({ detail: 'Only 100-continue is met (RFC 9110 §10.1.1).' })
const invalidHandshake = problems.invalidUpgrade({
  detail: 'The WebSocket handshake is not whole and well formed (RFC 6455 §4.1).',
})
const unknownWebsocketVersion = problems.websocketVersion({
  detail: 'Sec-WebSocket-Version is not 13 (RFC 6455 §4.4).',
  headers: { 'sec-websocket-version': '13' },
})

/** Reads the head in bytes[start, end), from the request line up to and including the empty line. */
export function parseRequestHead(
  bytes: Buffer,
  start: number,
  end: number,
  limits: HeadLimits,
  last?: LastSection,
): RequestHead | Problem {
  if (end - start > limits.maxHeadBytes) return headTooLarge
  if (!endsInEmptyLine(bytes, start, end)) return flaws.unfinishedHead.inRequest
  const line = bytes.toString('latin1', start, findLineEnd(bytes, start) + 2)
  const request = new RequestHead(new Fields())
  const methodEnd = line.indexOf(' ')
  const method = methodEnd === -1 ? undefined : methods.get(line.slice(0, methodEnd))
  if (method === undefined) return toMethodProblem(line, methodEnd)
  request.method = method
  const targetStart = methodEnd + 1
  const targetEnd = line.indexOf(' ', targetStart)
  if (targetEnd === -1 || targetEnd === targetStart) return invalidLine
  if (targetEnd - targetStart > limits.maxTargetBytes) return targetTooLong
  const wrong = parseTarget(line, targetStart, targetEnd, method, request) ?? parseVersion(line, targetEnd + 1, request)
  if (wrong !== undefined) return wrong
  const facts = parseFields(bytes, start + line.length, end, limits.maxFields, request.fields, last)
  if (!(facts instanceof SectionFacts)) return facts.inRequest
  return applyFacts(request, facts) ?? request
}

/** Fills the head with what its fields say about the message, or says what is wrong with that. */
export function applyFacts(request: RequestHead, facts: SectionFacts): Problem | undefined {
  if (facts.repeatsSingle) return flaws.repeatedSingle.inRequest
  return applyHost(request, facts) ?? applyFraming(request, facts) ?? applyConnection(request, facts)
}

/** Where the first CR stands; there is one, as the head ends in an empty line. */
function findLineEnd(bytes: Buffer, start: number): number {
  let at = start
  while (bytes[at] !== CR) at++
  return at
}

function toMethodProblem(line: string, methodEnd: number): Problem {
  if (methodEnd === -1) return invalidLine
  return toUnservedProblem(line.slice(0, methodEnd))
}

/** The method when it is one that is served, for requests of any version. */
export function toServedMethod(name: string): string | undefined {
  return methods.get(name)
}

export function toUnservedProblem(name: string): Problem {
  return name.length > maxMethodBytes || !isToken(name) ? invalidMethod : unknownMethod
}

function parseVersion(head: string, at: number, request: RequestHead): Problem | undefined {
  if (head.startsWith('HTTP/1.1\r\n', at)) return undefined
  if (head.startsWith('HTTP/1.0\r\n', at)) {
    request.version = '1.0'
    return undefined
  }
  const isVersion =
    head.startsWith('HTTP/', at) && isDigit(head, at + 5) && head[at + 6] === '.' && isDigit(head, at + 7)
  if (!isVersion) return invalidLine
  return head.charCodeAt(at + 8) === CR && head.charCodeAt(at + 9) === LF ? unknownVersion : invalidLine
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 48 && code <= 57
}

function applyHost(request: RequestHead, facts: SectionFacts): Problem | undefined {
  if (facts.hosts > 1) return flaws.repeatedHost.inRequest
  if (facts.host === undefined) return request.version === '1.1' ? flaws.missingHost.inRequest : undefined
  const host = (facts.hostName ??= parseHost(facts.host))
  if (host === '') return invalidHost
  // RFC 9112 §3.2.2: the authority of an absolute-form wins, and Host is ignored once it is known to be valid.
  if (request.absoluteScheme !== undefined) return undefined
  request.authority = facts.host
  request.host = host
  return undefined
}

function applyFraming(request: RequestHead, facts: SectionFacts): Problem | undefined {
  if (facts.coding !== undefined) {
    if (facts.contentLength !== -1) return flaws.lengthAndCoding.inRequest
    if (request.version === '1.0') return flaws.codingInOldVersion.inRequest
    if (facts.coding !== 'chunked' && facts.coding.toLowerCase() !== 'chunked') return toCodingProblem(facts.coding)
    request.bodyBytes = CHUNKED
  } else if (facts.contentLength > 0) request.bodyBytes = facts.contentLength
  if (facts.expect === undefined || request.version === '1.0') return undefined
  if (facts.expect !== '100-continue') return unknownExpectation
  request.expectContinue = request.bodyBytes !== 0
  return undefined
}

/** Codings before one final `chunked` are well framed and merely not implemented; everything else has no sure end. */
function toCodingProblem(coding: string): Problem {
  const codings = coding.toLowerCase().split(',')
  const last = codings.pop()?.trim()
  const areTokens = codings.every((each) => isToken(each.trim()) && each.trim() !== 'chunked')
  return codings.length > 0 && last === 'chunked' && areTokens ? unknownCoding : flaws.invalidCoding.inRequest
}

function applyConnection(request: RequestHead, facts: SectionFacts): Problem | undefined {
  request.keepAlive = request.version === '1.1' && !facts.close
  request.acceptsTrailers = facts.acceptsTrailers
  if (facts.nominated !== undefined) dropNominated(request.fields, facts.nominated)
  // Any other upgrade is as if it were absent (RFC 9110 §7.8 allows it): what follows would pass by the policies.
  if (facts.upgrade === undefined || !facts.upgradeNominated || request.version === '1.0') return undefined
  if (!facts.upgrade.includes('websocket')) return undefined
  if (facts.websocketVersion !== '13')
    return facts.websocketVersion === undefined ? invalidHandshake : unknownWebsocketVersion
  const isHandshake = request.method === 'GET' && request.bodyBytes === 0 && facts.contentLength <= 0
  if (!isHandshake || facts.websocketKeys !== 1 || !isWebsocketKey(facts.websocketKey)) return invalidHandshake
  request.upgrade = 'websocket'
  return undefined
}

/** Sixteen bytes in base64 (RFC 6455 §4.1). */
function isWebsocketKey(key: string | undefined): boolean {
  return key !== undefined && key.length === 24 && /^[A-Za-z0-9+/]{22}==$/.test(key)
}

/**
 * From the fields of an HTTP/2 request (RFC 9113 §8.3) to the head that the parser of HTTP/1.1 would give: the same
 * rules for target, host, methods, lengths and field names, by the same functions, so that neither version lets through
 * what the other refuses. `server/test/request-section-oracle.ts` takes the long way, through HTTP/1.1 text, and a
 * property test holds both against each other.
 */
import { randomBytes } from 'node:crypto'
import { Fields } from '../../kernel/fields.ts'
import type { Problem } from '../../kernel/problem.ts'
import { ROLE_HOST, ROLE_ORDINARY, ROLE_TE, ROLE_WEBSOCKET_KEY, ROLE_WEBSOCKET_VERSION } from '../http1/field-names.ts'
import { repeatedHost, tooManyFields } from '../http1/flaws.ts'
import { RequestHead, type HeadLimits } from '../http1/head.ts'
import { SectionFacts, note } from '../http1/parse-fields.ts'
import { applyFacts, toServedMethod, toUnservedProblem } from '../http1/parse-request.ts'
import { malformedRequest, targetTooLong } from '../http1/problems.ts'
import { parseTarget } from '../http1/target.ts'
import { badPseudo, type FieldEntry } from './field-entry.ts'
import { ROLE_AUTHORITY, ROLE_COOKIE, ROLE_METHOD, ROLE_PATH, ROLE_PROTOCOL, ROLE_SCHEME } from './field-roles.ts'

const badAuthority = malformedRequest({ detail: 'Host and :authority differ (RFC 9113 §8.3.1).' })
const badConnect = malformedRequest({ detail: 'CONNECT is served for WebSocket only (RFC 8441 §4).' })
const longTarget = targetTooLong({ detail: 'The target is longer than the limit (RFC 9110 §15.5.15).' })

const SLASH = 47
const PERCENT = 37

export interface RequestSection {
  readonly head: RequestHead
  /** What Content-Length says; -1 without it. */
  readonly contentLength: number
}

/** What is read of a section before it is judged as a whole. */
class Draft {
  method: string | undefined
  scheme: string | undefined
  authority: string | undefined
  path: string | undefined
  protocol: string | undefined
  cookie = ''
  facts = new SectionFacts()
  fields = new Fields()
}

/** Reads a request's section; what is wrong with it is one constant for each way. */
export function readRequest(section: readonly FieldEntry[], limits: HeadLimits): RequestSection | Problem {
  const draft = new Draft()
  const problem = readEntries(section, limits, draft)
  if (problem !== undefined) return problem
  const { facts, fields, protocol } = draft
  if (draft.cookie !== '') fields.append('cookie', draft.cookie)
  const head = new RequestHead(fields)
  const wrong = readTarget(draft, head, limits.maxTargetBytes)
  if (wrong !== undefined) return wrong
  if (protocol !== undefined) addHandshake(fields, facts)
  const unfit = applyFacts(head, facts)
  if (unfit !== undefined) return unfit
  head.expectContinue = facts.expect !== undefined
  return { head, contentLength: facts.contentLength }
}

function readEntries(section: readonly FieldEntry[], limits: HeadLimits, draft: Draft): Problem | undefined {
  let regular = 0
  for (let i = 0; i < section.length; i++) {
    const entry = section[i]
    if (entry === undefined) continue
    const { role, value } = entry
    if (entry.flaw !== undefined) return entry.flaw
    if (role > ROLE_COOKIE) {
      if (regular > 0 || !takePseudo(draft, role, value)) return badPseudo
      continue
    }
    if (++regular > limits.maxFields) return tooManyFields.inRequest
    // Cookies that came apart for the sake of compression are joined again (RFC 9113 §8.2.3); an empty one adds nothing.
    if (role === ROLE_COOKIE) draft.cookie += draft.cookie === '' || value === '' ? value : '; ' + value
    else if (role === ROLE_TE) draft.facts.acceptsTrailers = true
    else {
      if (role === ROLE_ORDINARY || role >= ROLE_WEBSOCKET_KEY) draft.fields.append(entry.name, value)
      const flaw = role === ROLE_ORDINARY ? undefined : note(role, value, draft.facts)
      if (flaw !== undefined) return flaw.inRequest
    }
  }
  return undefined
}

function takePseudo(draft: Draft, role: number, value: string): boolean {
  switch (role) {
    case ROLE_METHOD:
      if (draft.method !== undefined) return false
      draft.method = value
      return true
    case ROLE_SCHEME:
      if (draft.scheme !== undefined) return false
      draft.scheme = value
      return true
    case ROLE_AUTHORITY:
      if (draft.authority !== undefined) return false
      draft.authority = value
      return true
    case ROLE_PATH:
      if (draft.path !== undefined) return false
      draft.path = value
      return true
    case ROLE_PROTOCOL:
      if (draft.protocol !== undefined) return false
      draft.protocol = value
      return true
    default:
      return false
  }
}

function readTarget(draft: Draft, head: RequestHead, maxTargetBytes: number): Problem | undefined {
  const { path, method, scheme, protocol, facts } = draft
  const authority = draft.authority ?? facts.host
  if (method === undefined || path === undefined || authority === undefined) return badPseudo
  if (scheme !== 'http' && scheme !== 'https') return badPseudo
  if (facts.hosts > 1) return repeatedHost.inRequest
  if (facts.host !== undefined && !isSameHost(facts.host, authority)) return badAuthority
  // In HTTP/2 a target is a path or `*`; absolute-form would be read as something else.
  if (path.charCodeAt(0) !== SLASH && path !== '*') return badPseudo
  if (path.length > maxTargetBytes) return longTarget
  if ((method === 'CONNECT') !== (protocol !== undefined)) return badConnect
  if (protocol !== undefined && protocol !== 'websocket') return badConnect
  const served = protocol === undefined ? toServedMethod(method) : 'GET'
  if (served === undefined) return toUnservedProblem(method)
  head.method = served
  facts.host = undefined
  facts.hosts = 0
  note(ROLE_HOST, authority, facts)
  // The parser of targets looks two characters beyond a percent sign.
  const length = path.length
  const endsInPercent = path.charCodeAt(length - 1) === PERCENT || path.charCodeAt(length - 2) === PERCENT
  return parseTarget(endsInPercent ? path + '  ' : path, 0, length, served, head)
}

function isSameHost(host: string, authority: string): boolean {
  return host === authority || host.toLowerCase() === authority.toLowerCase()
}

/** What extended CONNECT leaves out of the handshake (RFC 8441 §5) and an HTTP/1.1 upstream wants (RFC 6455 §4.1). */
function addHandshake(fields: Fields, facts: SectionFacts): void {
  facts.upgrade = ['websocket']
  facts.upgradeNominated = true
  if (facts.websocketVersion === undefined) {
    fields.append('sec-websocket-version', '13')
    note(ROLE_WEBSOCKET_VERSION, '13', facts)
  }
  const key = randomBytes(16).toString('base64')
  fields.append('sec-websocket-key', key)
  note(ROLE_WEBSOCKET_KEY, key, facts)
}

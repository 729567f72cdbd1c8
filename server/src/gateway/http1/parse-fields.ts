/**
 * The field section of a message (RFC 9112 §5), for requests, responses and trailers: one pass over the bytes.
 *
 * Names are checked, lowered and hashed in the same loop; what says something about the connection or the framing is
 * noted in `SectionFacts` and kept from the fields that travel on.
 */
import type { Fields } from '../../kernel/fields.ts'
import * as flaws from './flaws.ts'
import {
  ROLE_CONNECTION,
  ROLE_CONTENT_LENGTH,
  ROLE_DISGUISED,
  ROLE_EXPECT,
  ROLE_HOST,
  ROLE_ORDINARY,
  ROLE_PROXY_CONNECTION,
  ROLE_SINGLE,
  ROLE_TE,
  ROLE_TRANSFER_ENCODING,
  ROLE_UPGRADE,
  ROLE_WEBSOCKET_KEY,
  ROLE_WEBSOCKET_VERSION,
  findName,
  isNominable,
  nameAt,
  roleAt,
} from './field-names.ts'
import { COLON, CR, DEL, HTAB, LF, LOWER_TOKEN, SP, isToken, toListElements } from './grammar.ts'
import type { LastSection } from './last-section.ts'
import type { Flaw } from './problems.ts'
import { viewOf } from './read-buffer.ts'

/** More options than this in all Connection fields of a head have no honest use. */
const maxNominated = 32
/** Fifteen digits and more are beyond every body; sixteen may be beyond what a number can count. */
const maxLengthDigits = 16

/** What a field section says about its message besides the fields that are passed on. */
export class SectionFacts {
  /** How many field lines there are, those included that are not passed on. */
  lines = 0
  host: string | undefined = undefined
  hosts = 0
  /** What `parseHost` made of the host, once it was asked: facts of a section that comes again are asked again. */
  hostName: string | undefined = undefined
  /** -1 without Content-Length. */
  contentLength = -1
  /** The text of Transfer-Encoding. */
  coding: string | undefined = undefined
  close = false
  keepAlive = false
  upgradeNominated = false
  nominated: string[] | undefined = undefined
  upgrade: string[] | undefined = undefined
  acceptsTrailers = false
  expect: string | undefined = undefined
  websocketKey: string | undefined = undefined
  websocketKeys = 0
  websocketVersion: string | undefined = undefined
  /** Bits of the fields that were seen of those which stand once at most, and whether one stood twice. */
  singles = 0
  repeatsSingle = false
}

/** Where the fields of a section stand, five numbers for each, and their names: kept from one section to the next. */
let places = new Int32Array(5 * 128)
const foundNames: string[] = []
const ROLE = 0
const LINE_START = 1
const VALUE_START = 2
const VALUE_END = 3
const LINE_END = 4
const PLACE = 5

/**
 * Reads the field lines of bytes[start, end) up to the empty line at their end into `fields`, and returns what they say
 * about the message. The caller has made sure that they end in CRLF CRLF, so every loop ends at a CR.
 */
export function parseFields(
  bytes: Buffer,
  start: number,
  end: number,
  maxFields: number,
  fields: Fields,
  last?: LastSection,
): SectionFacts | Flaw {
  const recalled = last?.recall(start, maxFields, fields)
  if (recalled !== undefined) return recalled
  const isNoted = last?.note(bytes, start, end) === true
  const facts = new SectionFacts()
  const flaw = readFields(bytes, start, end, maxFields, fields, facts)
  if (flaw !== undefined) return flaw
  if (isNoted) last.learn(fields, facts)
  return facts
}

/** Names are lowered where they stand, so that lines which are in order can be passed on as they are. */
function readFields(
  bytes: Buffer,
  start: number,
  end: number,
  maxFields: number,
  fields: Fields,
  facts: SectionFacts,
): Flaw | undefined {
  if (places.length < PLACE * maxFields) places = new Int32Array(PLACE * maxFields)
  const count = findFields(bytes, start, end, maxFields)
  if (typeof count !== 'number') return count
  facts.lines = count
  const text = bytes.toString('latin1', start, end)
  fields.receiveFrom(text)
  for (let i = 0; i < count; i++) {
    const place = PLACE * i
    const role = places[place + ROLE] ?? ROLE_ORDINARY
    const lineStart = places[place + LINE_START] ?? 0
    const valueStart = places[place + VALUE_START] ?? 0
    const valueEnd = places[place + VALUE_END] ?? 0
    const lineEnd = places[place + LINE_END] ?? 0
    const value = text.slice(valueStart - start, valueEnd - start)
    if (role === ROLE_ORDINARY || role >= ROLE_WEBSOCKET_KEY) {
      const name = foundNames[i] ?? ''
      // One blank before the value and none behind it: the line is as it would be written.
      const isInOrder = valueStart === lineStart + name.length + 2 && valueEnd === lineEnd
      fields.receive(name, value, isInOrder && bytes[valueStart - 1] === SP ? lineStart - start : -1)
    }
    if (role !== ROLE_ORDINARY) {
      // A tab behind `chunked` hides it from some parsers, llhttp among them.
      if (role === ROLE_TRANSFER_ENCODING && valueEnd !== lineEnd) return flaws.paddedCoding
      const flaw = note(role, value, facts)
      if (flaw !== undefined) return flaw
    }
  }
  return undefined
}

/** Checks the lines and fills `places`; returns how many fields there are, or what is wrong. */
function findFields(bytes: Buffer, start: number, end: number, maxFields: number): number | Flaw {
  const view = viewOf(bytes)
  let at = start
  let count = 0
  for (;;) {
    let code = bytes[at] ?? 0
    if (code === CR) return toEndFlaw(bytes, at, end) ?? count
    if (count === maxFields) return flaws.tooManyFields
    const lineStart = at
    let hash = 0
    for (let lower = LOWER_TOKEN[code] ?? 0; lower !== 0; lower = LOWER_TOKEN[code] ?? 0) {
      hash = (Math.imul(hash, 31) + lower) | 0
      bytes[at] = lower
      code = bytes[++at] ?? 0
    }
    if (code !== COLON || at === lineStart) return flaws.toNameFlaw(code, at === lineStart)
    const nameEnd = at
    do code = bytes[++at] ?? 0
    while (code === SP || code === HTAB)
    const valueStart = at
    at = findValueEnd(bytes, view, at, end)
    code = bytes[at] ?? 0
    if (code !== CR || bytes[at + 1] !== LF) {
      return code === CR || code === LF ? flaws.bareLineBreak : flaws.controlCharacter
    }
    // A learnt name holds its slot only until the next one of its hash, so it is taken at once.
    const slot = findName(bytes, lineStart, nameEnd, hash)
    foundNames[count] = nameAt[slot] ?? ''
    const place = PLACE * count++
    places[place + ROLE] = roleAt[slot] ?? ROLE_ORDINARY
    places[place + LINE_START] = lineStart
    places[place + VALUE_START] = valueStart
    places[place + VALUE_END] = skipBack(bytes, valueStart, at)
    places[place + LINE_END] = at
    at += 2
  }
}

/**
 * The first byte that no value has (RFC 9110 §5.5), looked for in words of four as long as there is no control character.
 * A set bit 7 then tells of a byte below 0x20, or of DEL; bytes from 0x80 on are obs-text and pass.
 */
function findValueEnd(bytes: Buffer, view: DataView, start: number, end: number): number {
  let at = start
  for (; at + 4 <= end; at += 4) {
    const word = view.getInt32(at, true)
    const fromDelete = word ^ 0x7f7f7f7f
    const flags = ((word - 0x20202020) & ~word) | ((fromDelete - 0x01010101) & ~fromDelete)
    if ((flags & 0x80808080) !== 0) break
  }
  let code = bytes[at] ?? 0
  while ((code >= SP && code !== DEL) || code === HTAB) code = bytes[++at] ?? 0
  return at
}

/** Where a value ends without the whitespace behind it. */
function skipBack(bytes: Buffer, start: number, end: number): number {
  let last = end
  while (last > start && (bytes[last - 1] === SP || bytes[last - 1] === HTAB)) last--
  return last
}

/** Whether the section says anything about framing, routing or the connection: no trailer may (RFC 9110 §6.5.1). */
export function isAboutMessage(facts: SectionFacts): boolean {
  const isFraming = facts.hosts > 0 || facts.contentLength !== -1 || facts.coding !== undefined
  const isConnection = facts.close || facts.keepAlive || facts.upgradeNominated || facts.nominated !== undefined
  return isFraming || isConnection || facts.upgrade !== undefined || facts.expect !== undefined
}

/** Takes away the fields that Connection nominates. */
export function dropNominated(fields: Fields, nominated: readonly string[]): void {
  for (const name of nominated) fields.remove(name)
}

function toEndFlaw(bytes: Buffer, at: number, end: number): Flaw | undefined {
  if (bytes[at + 1] !== LF) return flaws.bareLineBreak
  return at + 2 === end ? undefined : flaws.unfinishedHead
}

/** Notes what a field of this role says about its message. */
export function note(role: number, value: string, facts: SectionFacts): Flaw | undefined {
  switch (role) {
    case ROLE_HOST:
      facts.host = value
      facts.hosts++
      return undefined
    case ROLE_CONNECTION:
      return noteConnection(value, facts)
    case ROLE_CONTENT_LENGTH:
      return noteContentLength(value, facts)
    case ROLE_TRANSFER_ENCODING:
      if (facts.coding !== undefined) return flaws.repeatedCoding
      facts.coding = value
      return undefined
    case ROLE_TE:
      if (toListElements(value).includes('trailers')) facts.acceptsTrailers = true
      return undefined
    case ROLE_UPGRADE:
      facts.upgrade = [...(facts.upgrade ?? []), ...toListElements(value)]
      return undefined
    case ROLE_EXPECT:
      facts.expect = facts.expect === undefined ? value.toLowerCase() : `${facts.expect}, ${value}`
      return undefined
    case ROLE_PROXY_CONNECTION:
      // A relic that some still obey; closing is always safe, and anything else in it is not heard.
      if (toListElements(value).includes('close')) facts.close = true
      return undefined
    case ROLE_WEBSOCKET_KEY:
      facts.websocketKey = value
      facts.websocketKeys++
      return undefined
    case ROLE_WEBSOCKET_VERSION:
      facts.websocketVersion = facts.websocketVersion === undefined ? value : `${facts.websocketVersion}, ${value}`
      return undefined
    case ROLE_DISGUISED:
      return flaws.disguisedName
    default:
      if (role >= ROLE_SINGLE) noteSingle(1 << (role - ROLE_SINGLE), facts)
      return undefined
  }
}

function noteSingle(bit: number, facts: SectionFacts): void {
  if ((facts.singles & bit) !== 0) facts.repeatsSingle = true
  facts.singles |= bit
}

function noteConnection(value: string, facts: SectionFacts): Flaw | undefined {
  if (value === 'keep-alive') {
    facts.keepAlive = true
    return undefined
  }
  for (const option of toListElements(value)) {
    if (!isToken(option)) return flaws.invalidConnection
    if (option === 'close') facts.close = true
    else if (option === 'keep-alive') facts.keepAlive = true
    else if (option === 'upgrade') facts.upgradeNominated = true
    else if (!isNominable(option)) return flaws.nominatedEndToEnd
    else {
      facts.nominated ??= []
      if (facts.nominated.push(option) > maxNominated) return flaws.tooManyOptions
    }
  }
  return undefined
}

function noteContentLength(value: string, facts: SectionFacts): Flaw | undefined {
  if (facts.contentLength !== -1) return flaws.repeatedLength
  if (value.length === 0 || value.length > maxLengthDigits) return flaws.invalidLength
  let length = 0
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return flaws.invalidLength
    length = length * 10 + digit
  }
  if (length > Number.MAX_SAFE_INTEGER) return flaws.invalidLength
  facts.contentLength = length
  return undefined
}

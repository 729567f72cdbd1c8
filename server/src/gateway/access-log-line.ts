/**
 * One record as one line of JSON. Compiled by hand for this one shape: a general serializer costs several times as much,
 * and at ten thousand requests a second that is visible. Keys without a value are left out.
 *
 * A line is a text of bytes: what is not ASCII stands in it as its bytes of UTF-8, one character for each. So it is
 * copied to memory as it is, and its length is that of its bytes.
 */
import type { ExchangeRecord } from '../kernel/record.ts'
import { toThousandths, toWhole } from './number-texts.ts'

/** What JSON wants escaped (RFC 8259 §7), and all that is not ASCII. */
const UNSAFE = /["\\\u0000-\u001f\u0080-\uffff]/

/**
 * Pairs that there are few of come again and again, so each is escaped and joined once. Callers are not among them:
 * with thousands, keeping what was joined costs more than joining it.
 */
const MAX_KNOWN_PAIRS = 1024
const MAX_KNOWN_CHARS = 256

/** Pieces between values are joined ahead as far as they are the same for many lines. */
const STATUSES = Array.from({ length: 600 }, (_, status) => `","status":${status},"durationMs":`)
const ATTEMPTS = Array.from({ length: 10 }, (_, attempts) => `,"attempts":${attempts},"requestBytes":`)

let lastMs = Number.NaN
let lastStart = ''

// By target, since an upstream has one after the other; its name stands in few upstreams.
const targetPair = rememberPairs(
  (target, upstream) => `${toPair('upstream', upstream, 'target', target)},"upstreamMs":`,
)
const problemPair = rememberPairs((problem, blame) => `${toPair('problem', problem, 'blame', blame)},"durationMs":`)

/** What stands in the lines of a route, between the quotes that end path and API; made once for each route. */
export function toRouteText(route: string, api: string): string {
  return route === '' ? NO_ROUTE_TEXT : toBytes(`"${toPair('route', route, 'api', api).slice(0, -1)}`)
}

/** Of exchanges without a route. */
export const NO_ROUTE_TEXT = ''

/**
 * The line with its line feed; times in milliseconds. Joined by `+` from texts alone: in a template each piece costs a
 * call that makes sure that it is one, and numbers between texts have `+` find out what it has. Ids, address and method
 * have no character that JSON wants escaped: the parsers let nothing else through, or they are ours.
 */
export function toLogLine(record: ExchangeRecord, routeText: string): string {
  return (
    toStart(record.timeMs) +
    record.id +
    (record.traceId === '' ? '","ip":"' : '","traceId":"' + record.traceId + '","ip":"') +
    record.ip +
    toVersion(record.version) +
    record.method +
    '","host":"' +
    toEscaped(record.host) +
    '","path":"' +
    toEscaped(record.path) +
    routeText +
    (record.consumer === '' ? '' : toCaller(record)) +
    ((record.blame === '' && record.problem === '' ? STATUSES[record.status] : undefined) ?? toStatus(record)) +
    toMilliseconds(record.durationMs) +
    (record.upstream === '' ? ',"requestBytes":' : toUpstream(record)) +
    toWhole(record.requestBytes) +
    ',"responseBytes":' +
    toWhole(record.responseBytes) +
    '}\n'
  )
}

function toVersion(version: ExchangeRecord['version']): string {
  if (version === '1.1') return '","version":"1.1","method":"'
  return version === '2' ? '","version":"2","method":"' : '","version":"1.0","method":"'
}

/** All but the quote that ends it. */
function toCaller({ consumer, credential }: ExchangeRecord): string {
  return '","consumer":"' + toEscaped(consumer) + '","credential":"' + toEscaped(credential)
}

function toStatus({ status, problem, blame }: ExchangeRecord): string {
  const text = '","status":' + toWhole(status)
  if (problem !== '') return text + problemPair(problem, blame)
  return blame === '' ? text + ',"durationMs":' : text + ',"blame":"' + blame + '","durationMs":'
}

function toUpstream({ upstream, target, upstreamMs, attempts }: ExchangeRecord): string {
  const tried = ATTEMPTS[attempts] ?? ',"attempts":' + toWhole(attempts) + ',"requestBytes":'
  return targetPair(target, upstream) + toMilliseconds(upstreamMs) + tried
}

/** What stands between the quotes of a text. */
function toEscaped(text: string): string {
  return UNSAFE.test(text) ? toBytes(JSON.stringify(text).slice(1, -1)) : text
}

/** In one piece, and not the tree of pieces that a text is which was joined. */
function toBytes(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** Two keys with their values. */
function toPair(firstKey: string, first: string, secondKey: string, second: string): string {
  return `,"${firstKey}":${JSON.stringify(first)},"${secondKey}":${JSON.stringify(second)}`
}

/** What `join` makes of two values, remembered for the last one that stood beside each first one. */
function rememberPairs(join: (first: string, beside: string) => string): (first: string, beside: string) => string {
  const known = new Map<string, { beside: string; text: string }>()
  return (first, beside) => {
    const found = known.get(first)
    if (found !== undefined && found.beside === beside) return found.text
    const text = toBytes(join(first, beside))
    if (first.length + beside.length > MAX_KNOWN_CHARS) return text
    if (known.size >= MAX_KNOWN_PAIRS) known.clear()
    known.set(first, { beside, text })
    return text
  }
}

/** The line up to the id, with the time in ISO 8601, UTC; made once in a millisecond. */
function toStart(timeMs: number): string {
  if (timeMs !== lastMs) {
    lastMs = timeMs
    lastStart = toBytes(`{"time":"${new Date(timeMs).toISOString()}","id":"`)
  }
  return lastStart
}

function toMilliseconds(ms: number): string {
  return toThousandths(Math.max(0, ms))
}

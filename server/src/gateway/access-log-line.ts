/**
 * One record as one line of JSON. Compiled by hand for this one shape: a general serializer costs several times as much,
 * and at ten thousand requests a second that is visible. Keys without a value are left out.
 *
 * A line is a text of bytes: what is not ASCII stands in it as its bytes of UTF-8, one character for each. So it is
 * copied to memory as it is, and its length is that of its bytes.
 */
import type { ExchangeRecord } from '../kernel/record.ts'

/** What JSON wants escaped (RFC 8259 §7), and all that is not ASCII. */
const UNSAFE = /["\\\u0000-\u001f\u0080-\uffff]/

/**
 * Pairs that there are few of come again and again, so each is escaped and joined once. Callers are not among them:
 * with thousands, keeping what was joined costs more than joining it.
 */
const MAX_KNOWN_PAIRS = 1024
const MAX_KNOWN_CHARS = 256

/** Three digits behind a point. */
const FRACTIONS = Array.from({ length: 1000 }, (_, thousandths) => `.${String(thousandths).padStart(3, '0')}`)
const WHOLES = Array.from({ length: 1000 }, (_, whole) => String(whole))
const STATUSES = WHOLES.map((status) => `,"status":${status}`)

let lastMs = Number.NaN
let lastStart = ''

// By target, since an upstream has one after the other; its name stands in few upstreams.
const targetPair = rememberPairs((target, upstream) => toPair('upstream', upstream, 'target', target))
const problemPair = rememberPairs((problem, blame) => toPair('problem', problem, 'blame', blame))

/** What stands in the lines of a route, from the end of the path on; made once for each route. */
export function toRouteText(route: string, api: string): string {
  return route === '' ? NO_ROUTE_TEXT : toBytes(`"${toPair('route', route, 'api', api)}`)
}

/** Of exchanges without a route: the end of the path alone. */
export const NO_ROUTE_TEXT = '"'

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
    '","version":"' +
    record.version +
    '","method":"' +
    record.method +
    '","host":"' +
    toEscaped(record.host) +
    '","path":"' +
    toEscaped(record.path) +
    routeText +
    (record.consumer === '' ? '' : toCaller(record)) +
    (STATUSES[record.status] ?? ',"status":' + toWhole(record.status)) +
    (record.blame === '' && record.problem === '' ? ',"durationMs":' : toBlame(record)) +
    toMilliseconds(record.durationMs) +
    (record.upstream === '' ? ',"requestBytes":' : toUpstream(record)) +
    toWhole(record.requestBytes) +
    ',"responseBytes":' +
    toWhole(record.responseBytes) +
    '}\n'
  )
}

function toCaller({ consumer, credential }: ExchangeRecord): string {
  return ',"consumer":"' + toEscaped(consumer) + '","credential":"' + toEscaped(credential) + '"'
}

function toBlame({ problem, blame }: ExchangeRecord): string {
  const pair = problem === '' ? ',"blame":"' + blame + '"' : problemPair(problem, blame)
  return pair + ',"durationMs":'
}

function toUpstream({ upstream, target, upstreamMs, attempts }: ExchangeRecord): string {
  return (
    targetPair(target, upstream) +
    ',"upstreamMs":' +
    toMilliseconds(upstreamMs) +
    ',"attempts":' +
    toWhole(attempts) +
    ',"requestBytes":'
  )
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

/** Microseconds are enough, and two whole numbers are written faster than one with a point. */
function toMilliseconds(ms: number): string {
  const us = Math.max(0, Math.round(ms * 1000))
  const whole = Math.floor(us / 1000)
  return toWhole(whole) + (FRACTIONS[us - whole * 1000] ?? '')
}

function toWhole(whole: number): string {
  return WHOLES[whole] ?? String(whole)
}

/**
 * One record as one line of JSON. Compiled by hand for this one shape: a general serializer costs several times as much,
 * and at ten thousand requests a second that is visible. Keys without a value are left out.
 */
import type { ExchangeRecord } from '../kernel/record.ts'

/** What JSON wants escaped (RFC 8259 §7), and surrogates, which may stand alone. */
const UNSAFE = /["\\\u0000-\u001f\ud800-\udfff]/

/**
 * Pairs that there are few of come again and again, so each is escaped and joined once. Routes and callers are not among
 * them: with thousands, keeping what was joined costs more than joining it.
 */
const MAX_KNOWN_PAIRS = 1024
const MAX_KNOWN_CHARS = 256

/** Three digits behind a point. */
const FRACTIONS = Array.from({ length: 1000 }, (_, thousandths) => `.${String(thousandths).padStart(3, '0')}`)

let second = 0
let secondText = ''

const targetPair = createPair('upstream', 'target')
const problemPair = createPair('problem', 'blame')

/**
 * The line with its line feed; times in milliseconds. Template literals, since they turn numbers into text before they join,
 * where `+` has to find out first what it has. Ids, address and method have no character that JSON wants escaped: the
 * parsers let nothing else through, or they are ours.
 */
export function toLogLine(record: ExchangeRecord): string {
  const { ip, version, method, host, status, requestBytes, responseBytes } = record
  return (
    `{"time":"${toTime(record.timeMs)}","id":"${record.id}"${toTrace(record)},"ip":"${ip}","version":"${version}",` +
    `"method":"${method}","host":${toText(host)},"path":${toText(record.path)}${toRouteAndCaller(record)},"status":${status}` +
    `${toBlame(record)},"durationMs":${toMilliseconds(record.durationMs)}${toUpstream(record)},` +
    `"requestBytes":${requestBytes},"responseBytes":${responseBytes}}\n`
  )
}

function toTrace({ traceId }: ExchangeRecord): string {
  return traceId === '' ? '' : `,"traceId":"${traceId}"`
}

function toRouteAndCaller({ route, api, consumer, credential }: ExchangeRecord): string {
  const found = route === '' ? '' : `,"route":${toText(route)},"api":${toText(api)}`
  return consumer === '' ? found : `${found},"consumer":${toText(consumer)},"credential":${toText(credential)}`
}

function toBlame({ problem, blame }: ExchangeRecord): string {
  if (problem !== '') return problemPair(problem, blame)
  return blame === '' ? '' : `,"blame":"${blame}"`
}

function toUpstream({ upstream, target, upstreamMs, attempts }: ExchangeRecord): string {
  if (upstream === '') return ''
  return `${targetPair(upstream, target)},"upstreamMs":${toMilliseconds(upstreamMs)},"attempts":${attempts}`
}

function toText(text: string): string {
  return UNSAFE.test(text) ? JSON.stringify(text) : `"${text}"`
}

/** Two keys with their values as they stand in a line; remembered for the last second value of each first one. */
function createPair(firstKey: string, secondKey: string): (first: string, second: string) => string {
  const known = new Map<string, { second: string; text: string }>()
  return (first, second) => {
    const found = known.get(first)
    if (found !== undefined && found.second === second) return found.text
    const text = `,"${firstKey}":${toText(first)},"${secondKey}":${toText(second)}`
    if (first.length + second.length > MAX_KNOWN_CHARS) return text
    if (known.size >= MAX_KNOWN_PAIRS) known.clear()
    known.set(first, { second, text })
    return text
  }
}

/** ISO 8601 in UTC with milliseconds; all but these are made once a second. */
function toTime(timeMs: number): string {
  const seconds = Math.floor(timeMs / 1000)
  if (seconds !== second) {
    second = seconds
    secondText = new Date(seconds * 1000).toISOString().slice(0, 19)
  }
  return `${secondText}${FRACTIONS[Math.floor(timeMs - seconds * 1000)] ?? ''}Z`
}

/** Microseconds are enough, and two whole numbers are written faster than one with a point. */
function toMilliseconds(ms: number): string {
  const us = Math.max(0, Math.round(ms * 1000))
  const whole = Math.floor(us / 1000)
  return `${whole}${FRACTIONS[us - whole * 1000] ?? ''}`
}

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

/** The line with its line feed; times in milliseconds. */
export function toLogLine(record: ExchangeRecord): string {
  const { traceId, route, consumer, problem, blame, upstream } = record
  let line = '{"time":"' + toTime(record.timeMs) + '","id":' + toText(record.id)
  if (traceId !== '') line += ',"traceId":' + toText(traceId)
  line += ',"ip":' + toText(record.ip) + ',"version":"' + record.version + '","method":' + toText(record.method)
  line += ',"host":' + toText(record.host) + ',"path":' + toText(record.path)
  if (route !== '') line += ',"route":' + toText(route) + ',"api":' + toText(record.api)
  if (consumer !== '') line += ',"consumer":' + toText(consumer) + ',"credential":' + toText(record.credential)
  line += ',"status":' + record.status
  if (problem !== '') line += problemPair(problem, blame)
  else if (blame !== '') line += ',"blame":"' + blame + '"'
  line += ',"durationMs":' + toMilliseconds(record.durationMs)
  if (upstream !== '') {
    line += targetPair(upstream, record.target)
    line += ',"upstreamMs":' + toMilliseconds(record.upstreamMs) + ',"attempts":' + record.attempts
  }
  return line + ',"requestBytes":' + record.requestBytes + ',"responseBytes":' + record.responseBytes + '}\n'
}

function toText(text: string): string {
  return UNSAFE.test(text) ? JSON.stringify(text) : '"' + text + '"'
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
  return secondText + (FRACTIONS[Math.floor(timeMs - seconds * 1000)] ?? '') + 'Z'
}

/** Microseconds are enough, and two whole numbers are written faster than one with a point. */
function toMilliseconds(ms: number): string {
  const us = Math.max(0, Math.round(ms * 1000))
  const whole = Math.floor(us / 1000)
  return whole + (FRACTIONS[us - whole * 1000] ?? '')
}

/**
 * Which policies ran and what they decided, for those who may know: everybody while `HEADGATE_DEBUG` is set, else the
 * holder of the debug key, who signs `x-headgate-debug: <expiry>;<HMAC-SHA256 over "expiry host" in hex>`.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Exchange, PolicyDecision, Reply } from '../kernel/exchange.ts'
import { Problem } from '../kernel/problem.ts'
import type { Entry } from './runtime.ts'

export const DEBUG_FIELD = 'x-headgate-debug'
/** A signature may be made for this long ahead, so that one that leaks dies soon. */
const MAX_AHEAD_SECONDS = 3_600
/** Decisions beyond this are left out, so that the field stays a field. */
const MAX_TEXT = 4_096

/** The value of the debug field: valid until `expiresSeconds` since 1970 for requests to `host`. */
export function signDebug(key: string, expiresSeconds: number, host: string): string {
  const mac = createHmac('sha256', key).update(`${expiresSeconds} ${host}`).digest('hex')
  return `${expiresSeconds};${mac}`
}

/** Whether the value of the field is signed with the key, for this host, and counts at `nowMs` since 1970. */
export function isDebugSigned(value: string, key: string, host: string, nowMs: number): boolean {
  const expiresSeconds = Number(value.split(';', 1)[0])
  const nowSeconds = nowMs / 1000
  if (!Number.isSafeInteger(expiresSeconds) || expiresSeconds < nowSeconds) return false
  if (expiresSeconds > nowSeconds + MAX_AHEAD_SECONDS) return false
  const expected = Buffer.from(signDebug(key, expiresSeconds, host))
  const given = Buffer.from(value)
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** A list of what was decided, as a structured field (RFC 9651): `"apis/books/policies/0";request=passed`. */
export function toDebugField(decisions: readonly PolicyDecision[]): string {
  let text = ''
  for (const { policy, phase, decision, detail } of decisions) {
    const why = detail === undefined ? '' : `;detail="${detail.replace(/[^\x20-\x7e]|["\\]/g, '')}"`
    const member = `"${policy.replace(/[^\x20-\x7e]|["\\]/g, '')}";${phase}=${decision}${why}`
    if (text.length + member.length > MAX_TEXT) return `${text}, "more"`
    text += (text === '' ? '' : ', ') + member
  }
  return text
}

/** Keeps what a policy decided; to be called only while an exchange collects decisions. */
export function noteDecision(
  exchange: Exchange,
  entry: Entry,
  phase: PolicyDecision['phase'],
  decision: PolicyDecision['decision'],
  answer?: Reply | Problem,
): void {
  const fact = { policy: entry.id, phase, decision }
  const detail = answer instanceof Problem ? answer.definition.code : `status ${answer?.status}`
  exchange.decisions?.push(answer === undefined ? fact : { ...fact, detail })
}

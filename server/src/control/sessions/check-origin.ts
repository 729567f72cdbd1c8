/**
 * Keeps other sites from writing with the cookie of a browser (CSRF). Three things, each of which would do in most cases:
 *
 * - `Sec-Fetch-Site` must be `same-origin`. Browsers set it and pages cannot: also a sibling domain, which `SameSite`
 *   lets through, is refused.
 * - `Origin` must be ours, for browsers that do not send the field above.
 * - `x-headgate-csrf` must hold the token that the session answered with. A form cannot send it, and a script of another
 *   origin would need a CORS answer, which nobody gives.
 *
 * Reads change nothing and need none of it.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { refuse } from '../control-error.ts'
import { foreignOrigin } from './session-problems.ts'

const CSRF_FIELD = 'x-headgate-csrf'

/** What the check looks at of a request. */
export interface Sender {
  readonly method: string
  /** Host of the request. */
  readonly host: string
  readonly field: (name: string) => string | undefined
}

/** Refuses a write that a page of another site sent; programs send neither field. */
export function checkOrigin({ method, host, field }: Sender, publicUrl: string | undefined): void {
  if (method === 'GET' || method === 'HEAD') return
  const site = field('sec-fetch-site')
  if (site !== undefined && site !== 'same-origin') refuse(foreignOrigin({ detail: 'It comes from another site.' }))
  const origin = field('origin')
  if (origin !== undefined && !isOurs(origin, host, publicUrl)) {
    refuse(foreignOrigin({ detail: 'Its Origin is not the address of this control plane.' }))
  }
}

/** Refuses a write with a cookie that does not bring the token of its session. */
export function checkCsrfToken({ method, field }: Sender, sessionToken: string): void {
  if (method === 'GET' || method === 'HEAD') return
  const wanted = Buffer.from(toCsrfToken(sessionToken))
  const given = Buffer.from(field(CSRF_FIELD) ?? '')
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return
  refuse(foreignOrigin({ detail: `The field ${CSRF_FIELD} does not hold the token of the session.` }))
}

/** Follows from the session alone, so that nothing more has to be kept, and says nothing about it. */
export function toCsrfToken(sessionToken: string): string {
  return hash('sha256', `csrf ${sessionToken}`, 'base64url')
}

/** Where no public address is set the host that was asked counts: a proxy may have taken TLS off before us. */
function isOurs(origin: string, host: string, publicUrl: string | undefined): boolean {
  if (!URL.canParse(origin)) return false
  if (publicUrl !== undefined) return new URL(origin).origin === new URL(publicUrl).origin
  return new URL(origin).host === host
}

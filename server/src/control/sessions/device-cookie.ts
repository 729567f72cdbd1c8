/** Remembers in a browser that an account signed in there: its failures are counted apart from those of strangers. */
import { randomBytes } from 'node:crypto'
import type { Control } from '../control.ts'
import { cookieName, readCookie, toCookie } from './cookies.ts'

const DAYS = 400
const ABOUT = 'device'

/** A `Set-Cookie` field; only we can make and read its value. */
export function toDeviceCookie({ keys, publicUrl }: Control, email: string): string {
  const value = keys.seal(JSON.stringify([email, randomBytes(16).toString('base64url')]), ABOUT)
  return toCookie('device', value, { publicUrl, maxAgeSeconds: DAYS * 86_400 })
}

/** Which browser it is, when this account signed in there before. */
export function readDevice({ keys, publicUrl }: Control, cookie: string | undefined, email: string) {
  const sealed = readCookie(cookie, cookieName('device', publicUrl))
  if (sealed === undefined) return undefined
  try {
    const value: unknown = JSON.parse(keys.open(sealed, ABOUT))
    if (Array.isArray(value) && value[0] === email && typeof value[1] === 'string') return value[1]
  } catch {
    // Made by somebody else, or sealed with a key that is gone: then it is a stranger's browser.
  }
  return undefined
}

/** Time-based one-time passwords (RFC 6238 over RFC 4226): SHA-1, 30 seconds, six digits, as all authenticators know them. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const STEP_MS = 30_000
const DIGITS = 6
/** Steps before and after, for clocks that differ (RFC 6238 §5.2). */
const DRIFT = 1
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** 160 random bits in base32 (RFC 4648 §6): what RFC 4226 §4 recommends. */
export function createTotpSecret(): string {
  return toBase32(randomBytes(20))
}

/** The time step that the code is of; undefined when it is none of now, or of a step that was taken already. */
export function findStep(secret: string, code: string, nowMs: number, lastStep: number): number | undefined {
  const now = Math.floor(nowMs / STEP_MS)
  let found: number | undefined
  for (let step = now - DRIFT; step <= now + DRIFT; step++) {
    if (step > lastStep && isEqual(toCode(secret, step), code)) found = step
  }
  return found
}

/** The code of the moment. */
export function codeAt(secret: string, nowMs: number): string {
  return toCode(secret, Math.floor(nowMs / STEP_MS))
}

/** What an authenticator reads from a QR code. */
export function toOtpAuthUrl(secret: string, email: string): string {
  const label = encodeURIComponent(`Headgate:${email}`)
  return `otpauth://totp/${label}?secret=${secret}&issuer=Headgate&algorithm=SHA1&digits=${DIGITS}&period=30`
}

/** 16 characters of base32, 80 bits, in fours. */
export function createRecoveryCode(): string {
  return toBase32(randomBytes(10)).replaceAll(/(.{4})(?=.)/g, '$1-')
}

function toCode(secret: string, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', fromBase32(secret)).update(counter).digest()
  // Dynamic truncation (RFC 4226 §5.3).
  const offset = mac.readUInt8(mac.length - 1) & 0xf
  const number = mac.readUInt32BE(offset) & 0x7fffffff
  return String(number % 10 ** DIGITS).padStart(DIGITS, '0')
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function toBase32(bytes: Buffer): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET[parseInt(five, 2)]).join('')
}

function fromBase32(text: string): Buffer {
  const bits = Array.from(text, (letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((eight) => parseInt(eight, 2)))
}

/** What may be a field of HTTP when a configuration or an expression says so, and which fields are not theirs to write. */
import { z } from 'zod'
import type { Fields } from './fields.ts'

/** The name of a field in a configuration (RFC 9110 §5.1), in either case. */
export const fieldName = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'the name of an HTTP field, such as x-version')

const FIELD_VALUE = /^[\t\x20-\x7E\x80-\xFF]*$/

/** Frames a message or belongs to one connection (RFC 9110 §7.6.1): the codec writes these, nobody else. */
const codecFields: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'sec-websocket-accept',
  'sec-websocket-key',
  'sec-websocket-version',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * Whether the text can stand as a field value (RFC 9110 §5.5) byte for byte: no CR, LF or NUL that could begin another
 * field, and nothing beyond one byte, for which HTTP has no encoding.
 */
export function isFieldValue(value: string): boolean {
  return FIELD_VALUE.test(value)
}

/** Whether the field, its name in lower case, is left to the codec. */
export function isCodecField(name: string): boolean {
  return codecFields.has(name)
}

/** What the gateway writes into every request after all policies: who asks, and through whom. */
const requestFields: ReadonlySet<string> = new Set([
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
])

/** Why the field, its name in lower case, cannot be changed; undefined when it can. */
export function whyUnchangeable(name: string, direction: 'request' | 'response'): string | undefined {
  if (isCodecField(name)) return `${name} frames the message or belongs to the connection, so only Headgate writes it`
  const isLater = direction === 'request' ? requestFields.has(name) : name === 'x-request-id'
  return isLater ? `${name} is written by Headgate itself after all policies` : undefined
}

/**
 * Takes away fields that some servers take for another one, because CGI and its heirs read `_` and `-` alike (RFC 3875
 * §4.1.18): beside the `x-consumer` that we vouch for, a client's `x_consumer` would count as well. `isMeant` is asked
 * for the name as such a server reads it.
 */
export function removeDisguised(fields: Fields, isMeant: (plainName: string, name: string) => boolean): void {
  for (let at = fields.names.length - 1; at >= 0; at--) {
    const name = fields.names[at]
    if (name !== undefined && name.includes('_') && isMeant(name.replaceAll('_', '-'), name)) fields.remove(name)
  }
}

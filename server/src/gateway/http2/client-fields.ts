/**
 * Fields of HTTP/2 towards a target (RFC 9113 §8.2, §8.3): requests as `node:http2` takes them, responses checked once
 * more, because `node:http2` delivers some that the rules forbid.
 */
import { createHash } from 'node:crypto'
import { isBodySource } from '../../kernel/body.ts'
import { Fields } from '../../kernel/fields.ts'
import { isFieldValue, isToken } from '../http1/grammar.ts'
import type { UpstreamRequest } from '../upstream/client.ts'
import { toForwardedFields } from '../upstream/forwarded-fields.ts'
import { nodeHttp2 } from './node-http2.ts'

/** Connection-specific fields (RFC 9113 §8.2.2), and those that are written from other parts of the request. */
const LEFT_OUT = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'te',
  'host',
  'content-length',
])

/** Never enter the compression table that all clients of a connection share (RFC 7541 §7.1.3). */
const SECRET = ['authorization', 'cookie', 'proxy-authorization', 'x-api-key']

/** Methods for which a target may insist on a length even when there is no content (RFC 9110 §8.6). */
const MEANT_TO_CARRY = new Set(['POST', 'PUT', 'PATCH'])

/** The field section of a request, as a flat list of names and values. */
export function toRequestSection(request: UpstreamRequest): string[] {
  const { method, scheme, authority, path, upgrade, fields, acceptsTrailers } = request
  const section = upgrade === undefined ? [':method', method] : [':method', 'CONNECT', ':protocol', upgrade]
  section.push(':scheme', scheme, ':authority', authority, ':path', path)
  for (let i = 0; i < fields.names.length; i++) {
    const name = fields.names[i] ?? ''
    // The key proves the upgrade of HTTP/1.1 only; extended CONNECT has none (RFC 8441 §5).
    if (LEFT_OUT.has(name) || (upgrade !== undefined && name === 'sec-websocket-key')) continue
    section.push(name, fields.values[i] ?? '')
  }
  if (request.forwarded !== undefined) section.push(...toForwardedFields(request.forwarded))
  const bodyBytes = toBodyBytes(request)
  if (bodyBytes !== undefined) section.push('content-length', String(bodyBytes))
  if (acceptsTrailers) section.push('te', 'trailers')
  return Object.assign(section, { [nodeHttp2().sensitiveHeaders]: SECRET })
}

function toBodyBytes({ body, upgrade, method }: UpstreamRequest): number | undefined {
  if (upgrade !== undefined) return undefined
  if (body === undefined) return MEANT_TO_CARRY.has(method) ? 0 : undefined
  return isBodySource(body) ? body.bodyBytes : body.length
}

export interface ResponseSection {
  readonly status: number
  readonly fields: Fields
  /** Value of `content-length`, which is not among the fields. */
  readonly bodyBytes: number | undefined
}

/** Reads the field section of a response, interim or final; a sentence says what is wrong with it. */
export function parseResponseSection(section: readonly string[]): ResponseSection | string {
  const [first, text] = section
  if (first !== ':status' || text === undefined || !/^[1-9][0-9][0-9]$/.test(text)) {
    return 'The response has no valid :status (RFC 9113 §8.3.2).'
  }
  const status = Number(text)
  if (status === 101) return 'The response has the status 101, which HTTP/2 does not know (RFC 9113 §8.6).'
  const fields = parseFields(section, 2)
  if (typeof fields === 'string') return fields
  const length = fields.get('content-length')
  if (length === undefined) return { status, fields, bodyBytes: undefined }
  if (!/^[0-9]{1,15}$/.test(length) || fields.count('content-length') > 1) {
    return 'The content-length of the response is not one number (RFC 9110 §8.6).'
  }
  fields.remove('content-length')
  return { status, fields, bodyBytes: Number(length) }
}

/** Reads a field section without pseudo fields, such as trailers. */
export function parseFields(section: readonly string[], from = 0): Fields | string {
  const names: string[] = []
  const values: string[] = []
  for (let i = from; i + 1 < section.length; i += 2) {
    const name = section[i] ?? ''
    const value = section[i + 1] ?? ''
    const fault = findFault(name, value)
    if (fault !== undefined) return fault
    names.push(name)
    values.push(value)
  }
  return new Fields(names, values)
}

function findFault(name: string, value: string): string | undefined {
  if (!isToken(name) || name !== name.toLowerCase()) {
    return 'A field name of the response is not a token in lower case, or a pseudo field out of place (RFC 9113 §8.2.1).'
  }
  if (name !== 'content-length' && name !== 'host' && LEFT_OUT.has(name)) {
    return `The response carries ${name}, a field of HTTP/1.1 connections (RFC 9113 §8.2.2).`
  }
  if (!isFieldValue(value) || value !== value.replace(/^[ \t]+|[ \t]+$/g, '')) {
    return 'A field value of the response holds a forbidden character (RFC 9113 §8.2.1).'
  }
  return undefined
}

/** Trailers as `node:http2` takes them. */
export function toTrailerRecord(trailers: Fields | undefined): Record<string, string[]> {
  const record: Record<string, string[]> = Object.create(null)
  trailers?.names.forEach((name, index) => {
    const value = trailers.values[index] ?? ''
    if (!LEFT_OUT.has(name)) (record[name] ??= []).push(value)
  })
  return record
}

/** What an agreed WebSocket says in HTTP/1.1, where the client's key is answered (RFC 6455 §4.2.2). */
export function addWebSocketAccept(request: UpstreamRequest, fields: Fields): void {
  const key = request.fields.get('sec-websocket-key')
  if (key === undefined) return
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  fields.set('sec-websocket-accept', accept)
}

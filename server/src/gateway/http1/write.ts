/**
 * The texts of HTTP/1.1 messages (RFC 9112) as they leave the gateway, for both sides. What is written here was parsed
 * strictly or checked when a policy set it, so writing is concatenation.
 */
import type { Fields } from '../../kernel/fields.ts'
import type { UpstreamRequest } from '../upstream/client.ts'
import { toForwardedLines } from '../upstream/forwarded-fields.ts'
import type { Outbox } from './outbox.ts'
import { REASONS } from './reasons.ts'

const STATUS_LINES: string[] = []
for (let status = 100; status < 1000; status++) {
  STATUS_LINES[status] = `HTTP/1.1 ${status} ${REASONS[status] ?? ''}\r\n`
}

function toStatusLine(status: number): string {
  return STATUS_LINES[status] ?? `HTTP/1.1 ${status} \r\n`
}

/** The head of an answer to a client: `framing` and `connection` are whole field lines or empty. */
export function toAnswerHead(status: number, fields: Fields, framing: string, connection: string): string {
  return toStatusLine(status) + fields.toLines() + framing + connection + '\r\n'
}

/** The head of a request to a target; its body has `bodyBytes`, or comes in chunks, or is not there. */
export function toRequestHead(request: UpstreamRequest, bodyBytes: number | undefined, chunked: boolean): string {
  const { method, forwarded } = request
  let text = method + ' ' + request.path + ' HTTP/1.1\r\nhost: ' + request.authority + '\r\n' + request.fields.toLines()
  if (forwarded !== undefined) text += toForwardedLines(forwarded)
  if (chunked) text += 'transfer-encoding: chunked\r\n'
  else if (bodyBytes !== undefined) text += 'content-length: ' + bodyBytes + '\r\n'
  // RFC 9110 §8.6: methods whose body has a meaning say that there is none.
  else if (method === 'POST' || method === 'PUT' || method === 'PATCH') text += 'content-length: 0\r\n'
  if (request.upgrade !== undefined) text += 'connection: upgrade\r\nupgrade: websocket\r\n'
  else if (request.acceptsTrailers) text += 'connection: te\r\nte: trailers\r\n'
  return text + '\r\n'
}

/** Above this, a copy costs more than a second entry in the socket's write vector. */
const JOIN_BYTES = 16_384

/** Writes a head and a body that is all here, in one system call. */
export function writeMessage(outbox: Outbox, head: string, body: Uint8Array | undefined): void {
  if (body === undefined || body.length === 0) outbox.post(head)
  else if (head.length + body.length <= 2 * JOIN_BYTES) outbox.postJoined(head, body)
  else {
    outbox.post(head)
    outbox.write(body)
  }
}

const LAST_CHUNK = '0\r\n\r\n'

/** Writes one chunk of a chunked body (RFC 9112 §7.1). Returns false when the socket asks to wait. */
export function writeChunk(outbox: Outbox, bytes: Uint8Array): boolean {
  if (bytes.length === 0) return true
  const size = bytes.length.toString(16) + '\r\n'
  if (bytes.length > JOIN_BYTES) return outbox.writeAll(size, bytes, '\r\n')
  const joined = Buffer.allocUnsafe(size.length + bytes.length + 2)
  joined.write(size, 0, 'latin1')
  joined.set(bytes, size.length)
  joined.write('\r\n', size.length + bytes.length, 'latin1')
  return outbox.write(joined)
}

/** Ends a chunked body, with its trailers if there are any. */
export function writeLastChunk(outbox: Outbox, trailers: Fields | undefined): void {
  outbox.write(trailers === undefined || trailers.size === 0 ? LAST_CHUNK : `0\r\n${trailers.toLines()}\r\n`)
}

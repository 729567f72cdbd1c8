/**
 * One HTTP/2 client connection of the paced generator. It writes its own frames, since `node:http2` would cost the load core
 * more than the gateway's answer: the first request puts its fields into the HPACK table, all later ones are indexes into it
 * (RFC 7541 §6.1, §6.2.1), as in any real client.
 */
import { connect } from 'node:net'
import type { WorkRequest } from '../workload.ts'
import type { PacedConnection, PacedTarget } from './paced-http1.ts'

const frame = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 }
const endStream = 0x1
const endHeaders = 0x4
const ack = 0x1
const largestWindow = 2 ** 31 - 1

/** All sockets are read into one piece of memory, one after the other. */
const readBuffer = Buffer.allocUnsafeSlow(65_536)

export function openHttp2(target: PacedTarget, request: WorkRequest): void {
  const read = createFrameReader((type, flags, id, payload) => onFrame(type, flags, id, payload))
  const onread = {
    buffer: readBuffer,
    callback: (bytes: number): boolean => {
      read(readBuffer.subarray(0, bytes))
      return true
    },
  }
  const socket = connect({ host: '127.0.0.1', port: target.port, noDelay: true, onread })
  const blocks = headerBlocks(request)
  let streamId = 1
  let status = 0
  const connection: PacedConnection = {
    request: -1,
    send: () => {
      const block = streamId === 1 ? blocks.first : blocks.later
      socket.write(toFrame(frame.headers, endStream | endHeaders, streamId, block))
      streamId += 2
    },
    close: () => void socket.destroy(),
  }
  const onFrame = (type: number, flags: number, id: number, payload: Buffer): void => {
    if (type === frame.settings && (flags & ack) === 0) socket.write(toFrame(frame.settings, ack, 0, Buffer.alloc(0)))
    if (type === frame.ping && (flags & ack) === 0) socket.write(toFrame(frame.ping, ack, 0, payload))
    if (type === frame.goAway || type === frame.reset) target.onBroken(connection, `frame of type ${type}`)
    if (type === frame.headers) status = statusOf(payload)
    const isLast = id !== 0 && (type === frame.headers || type === frame.data) && (flags & endStream) !== 0
    if (isLast) target.onAnswer(connection, status === target.expectedStatus)
  }
  socket.once('connect', () => {
    socket.write(preface())
    target.onReady(connection)
  })
  socket.once('error', (error) => target.onBroken(connection, error.message))
  socket.once('end', () => target.onBroken(connection, 'closed by the gateway'))
}

const nothing = Buffer.alloc(0)

type OnFrame = (type: number, flags: number, id: number, payload: Buffer) => void

function createFrameReader(onFrame: OnFrame): (chunk: Buffer) => void {
  let pending: Buffer = nothing
  return (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    let offset = 0
    while (pending.length - offset >= 9) {
      const length = pending.readUIntBE(offset, 3)
      if (pending.length - offset < 9 + length) break
      const payload = pending.subarray(offset + 9, offset + 9 + length)
      onFrame(pending.readUInt8(offset + 3), pending.readUInt8(offset + 4), pending.readUInt32BE(offset + 5), payload)
      offset += 9 + length
    }
    pending = offset === pending.length ? nothing : Buffer.from(pending.subarray(offset))
  }
}

/** Flow control never stops an answer: the connection's window is as large as the protocol allows (RFC 9113 §6.9). */
function preface(): Buffer {
  const windowUpdate = Buffer.alloc(4)
  windowUpdate.writeUInt32BE(largestWindow - 65_535)
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    toFrame(frame.settings, 0, 0, Buffer.alloc(0)),
    toFrame(frame.windowUpdate, 0, 0, windowUpdate),
  ])
}

function toFrame(type: number, flags: number, id: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(id, 5)
  return Buffer.concat([head, payload])
}

/** `:method GET` and `:scheme http` are in the static table; everything else is added to the dynamic one, newest at 62. */
function headerBlocks(request: WorkRequest): { first: Buffer; later: Buffer } {
  const fields: [string, string][] = [[':path', request.path]]
  for (const [name, value] of request.headers) fields.push([name === 'Host' ? ':authority' : name.toLowerCase(), value])
  const pseudo = Buffer.from([0x82, 0x86])
  const literals = fields.map(([name, value]) => Buffer.concat([Buffer.from([0x40]), toText(name), toText(value)]))
  const indexes = fields.map((_, position) => 0x80 | (61 + fields.length - position))
  return { first: Buffer.concat([pseudo, ...literals]), later: Buffer.concat([pseudo, Buffer.from(indexes)]) }
}

/** A string without Huffman coding, its length as an integer with a prefix of seven bits (RFC 7541 §5.1, §5.2). */
function toText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  const length = bytes.length < 127 ? [bytes.length] : [127, ...continued(bytes.length - 127)]
  return Buffer.concat([Buffer.from(length), bytes])
}

function continued(rest: number): number[] {
  return rest < 128 ? [rest] : [(rest & 0x7f) | 0x80, ...continued(rest >> 7)]
}

/** `:status` comes first; 200 is index 8 of the static table. Servers may announce a table size before it (§6.3). */
function statusOf(payload: Buffer): number {
  let offset = 0
  while (((payload[offset] ?? 0) & 0xe0) === 0x20) offset++
  return payload[offset] === 0x88 ? 200 : 0
}

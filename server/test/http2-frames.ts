/**
 * HTTP/2 frames by hand (RFC 9113 §4), for peers that break rules which `node:http2` keeps: a server that sends
 * whatever a test tells it to.
 */
import { createServer, type Server, type Socket } from 'node:net'

export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, window: 8 } as const
export const END_STREAM = 1
export const END_HEADERS = 4

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Buffer
}

export function toFrame(type: number, flags: number, streamId: number, payload: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(payload)
  const head = Buffer.alloc(9)
  head.writeUIntBE(bytes.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(streamId, 5)
  return Buffer.concat([head, bytes])
}

/** A field section of literals that enter no table and use no Huffman code (RFC 7541 §6.2.2). */
export function toSection(fields: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, 'latin1')
    return Buffer.concat([Buffer.from([bytes.length]), bytes])
  }
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))
}

export function toGoaway(lastStreamId: number, code: number): Buffer {
  const payload = Buffer.alloc(8)
  payload.writeUInt32BE(lastStreamId, 0)
  payload.writeUInt32BE(code, 4)
  return toFrame(FRAME.goaway, 0, 0, payload)
}

export function toReset(streamId: number, code: number): Buffer {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(code)
  return toFrame(FRAME.reset, 0, streamId, payload)
}

const PREFACE_BYTES = 24

/** A server of frames: greets with empty SETTINGS, then does what `onFrame` does with each frame that comes. */
export function createFrameServer(onFrame: (frame: Frame, socket: Socket) => void): Server {
  return createServer((socket) => {
    let pending = Buffer.alloc(0)
    let skip = PREFACE_BYTES
    socket.on('error', () => undefined)
    socket.write(toFrame(FRAME.settings, 0, 0))
    socket.on('data', (bytes: Buffer) => {
      pending = Buffer.concat([pending, bytes])
      for (;;) {
        if (pending.length < skip + 9) return
        const at = pending.subarray(skip)
        const end = 9 + at.readUIntBE(0, 3)
        if (at.length < end) return
        const frame = {
          type: at[3] ?? 0,
          flags: at[4] ?? 0,
          streamId: at.readUInt32BE(5),
          payload: at.subarray(9, end),
        }
        pending = at.subarray(end)
        skip = 0
        onFrame(frame, socket)
      }
    })
  })
}

/** A client of HTTP/2 that sends whatever frames a test tells it to, and keeps what comes back. */
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { HpackDecoder } from '../src/gateway/http2/hpack-decoder.ts'
import type { FieldEntry } from '../src/gateway/http2/field-entry.ts'
import { END_HEADERS, END_STREAM, FRAME, toFrame, toSection, type Frame } from './http2-frames.ts'
import { testGateway, type TestGateway, type TestGatewayOptions } from './test-gateway.ts'

export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

export const GET: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a.test'],
]
export const POST: typeof GET = [[':method', 'POST'], ...GET.slice(1)]

export class FrameClient {
  readonly socket: Socket
  readonly frames: Frame[] = []
  /** Resolves when the gateway has ended the connection. */
  readonly ended: Promise<void>
  private readonly decoder = new HpackDecoder()
  private readonly waiting = new Set<() => void>()
  private pending: Buffer = Buffer.alloc(0)
  private isOver = false

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.ended = new Promise((resolve) => {
      const over = (): void => {
        this.isOver = true
        this.tell()
        resolve()
      }
      this.socket.on('end', over).on('close', over)
      this.socket.on('error', over)
    })
    this.socket.on('data', (bytes: Buffer) => this.take(bytes))
    onTestFinished(() => void this.socket.destroy())
  }

  send(...frames: (Buffer | string)[]): void {
    this.socket.write(
      Buffer.concat(frames.map((frame) => (typeof frame === 'string' ? Buffer.from(frame, 'latin1') : frame))),
    )
  }

  /** The first frame for which it is so, those that came before included; fails when the connection ends without it. */
  async until(isSo: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(isSo)
      if (found !== undefined) return found
      if (this.isOver) throw new Error(`The connection ended after ${this.frames.map(toText).join(', ')}`)
      await new Promise<void>((resolve) => this.waiting.add(resolve))
    }
  }

  /** The frame that ends the answer on a stream. */
  answered(streamId: number): Promise<Frame> {
    return this.until((frame) => frame.streamId === streamId && isEnd(frame))
  }

  /** Fields of a HEADERS frame; frames must be read in the order in which they came. */
  read(frame: Frame): Record<string, string> {
    const section: FieldEntry[] = []
    if (!this.decoder.decode(frame.payload, 0, frame.payload.length, section, 65_536))
      throw new Error('not a header block')
    return Object.fromEntries(section.map(({ name, value }) => [name, value]))
  }

  /** Error code of the RST_STREAM on a stream, or of the GOAWAY for stream 0. */
  async code(streamId = 0): Promise<number> {
    const type = streamId === 0 ? FRAME.goaway : FRAME.reset
    const { payload } = await this.until(
      (frame) => frame.type === type && frame.streamId === streamId && !isFarewell(frame),
    )
    return payload.readUInt32BE(streamId === 0 ? 4 : 0)
  }

  private take(bytes: Buffer): void {
    this.pending = Buffer.concat([this.pending, bytes])
    while (this.pending.length >= 9 && this.pending.length >= 9 + this.pending.readUIntBE(0, 3)) {
      const end = 9 + this.pending.readUIntBE(0, 3)
      const [type = 0, flags = 0] = this.pending.subarray(3, 5)
      this.frames.push({ type, flags, streamId: this.pending.readUInt32BE(5), payload: this.pending.subarray(9, end) })
      this.pending = this.pending.subarray(end)
    }
    this.tell()
  }

  private tell(): void {
    for (const wake of this.waiting) wake()
    this.waiting.clear()
  }
}

/** A client that has sent its preface and empty SETTINGS. */
export function openFrames(port: number): FrameClient {
  const client = new FrameClient(port)
  client.send(PREFACE, toFrame(FRAME.settings, 0, 0))
  return client
}

export function toRequest(streamId: number, fields: readonly (readonly [string, string])[] = GET, ends = true): Buffer {
  return toFrame(FRAME.headers, END_HEADERS | (ends ? END_STREAM : 0), streamId, toSection(fields))
}

export function toWindow(streamId: number, bytes: number): Buffer {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(bytes)
  return toFrame(FRAME.window, 0, streamId, payload)
}

export function toSettings(...pairs: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(6 * pairs.length)
  pairs.forEach(([id, value], i) => {
    payload.writeUInt16BE(id, 6 * i)
    payload.writeUInt32BE(value, 6 * i + 2)
  })
  return toFrame(FRAME.settings, 0, 0, payload)
}

function isEnd({ type, flags }: Frame): boolean {
  return (type === FRAME.data || type === FRAME.headers) && (flags & END_STREAM) !== 0
}

/** The first of the two with which a gateway says goodbye. */
function isFarewell({ type, payload }: Frame): boolean {
  return type === FRAME.goaway && payload.readUInt32BE(0) === 0x7fff_ffff
}

function toText({ type, flags, streamId, payload }: Frame): string {
  return `${type}/${flags} on ${streamId} with ${payload.subarray(0, 16).toString('hex')}`
}

/** A gateway, and a client that speaks to it in frames. */
export async function openGateway(
  options?: TestGatewayOptions,
): Promise<{ readonly gateway: TestGateway; readonly client: FrameClient }> {
  const gateway = await testGateway(options)
  return { gateway, client: openFrames(gateway.port) }
}

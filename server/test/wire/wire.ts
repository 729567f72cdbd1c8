/**
 * One end of a connection whose bytes a test writes and reads itself: a client of the gateway, or an upstream behind
 * it. It knows just enough of HTTP/1.1 to tell where a message ends.
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Message {
  /** Of an answer; 0 for a request. */
  readonly status: number
  readonly startLine: string
  /** Names in lower case; several values of a name are joined by a comma. */
  readonly fields: Readonly<Record<string, string>>
  readonly body: string
  readonly trailers: Readonly<Record<string, string>>
}

/** How the other side ended: with a FIN, or with a reset. */
export type Ending = 'closed' | 'reset'

export class Wire {
  readonly socket: Socket
  readonly ended: Promise<Ending>
  private readonly changed = new Set<() => void>()
  private bytes: Buffer = Buffer.alloc(0)
  private isOver = false

  constructor(socket: Socket) {
    this.socket = socket
    this.ended = new Promise((resolve) => {
      socket.on('end', () => this.over(() => resolve('closed')))
      socket.on('error', () => this.over(() => resolve('reset')))
      socket.on('close', () => this.over(() => resolve('closed')))
    })
    socket.on('data', (bytes: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, bytes])
      this.tell()
    })
    onTestFinished(() => void socket.destroy())
  }

  /** What was read and not taken yet. */
  get unread(): string {
    return this.bytes.toString('latin1')
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes)
  }

  /** Sends without end, as fast as the other side takes it. */
  pour(): void {
    const { socket } = this
    const piece = Buffer.alloc(65_536)
    const more = (): void => {
      while (!socket.destroyed && socket.write(piece));
    }
    socket.on('drain', more)
    more()
  }

  /** Sends a request without a body and takes its answer. */
  async get(path: string, lines = ''): Promise<Message> {
    this.send(`GET ${path} HTTP/1.1\r\nhost: a.test\r\n${lines}\r\n`)
    return this.message()
  }

  /** Takes the next message. `bodyless`: it answers HEAD, so that its length is of nothing that follows. */
  async message({ bodyless = false } = {}): Promise<Message> {
    const [startLine = '', ...lines] = (await this.through('\r\n\r\n')).slice(0, -4).split('\r\n')
    const fields = toFields(lines)
    const status = startLine.startsWith('HTTP/') ? Number(startLine.split(' ')[1]) : 0
    const empty = bodyless || status === 204 || status === 304 || (status >= 100 && status < 200)
    const { body, trailers } = empty ? NOTHING : await this.bodyOf(fields, status > 0)
    return { status, startLine, fields, body, trailers }
  }

  /** Takes everything up to the first `mark`, the mark included. */
  async through(mark: string): Promise<string> {
    await this.until(() => this.bytes.includes(mark, 0, 'latin1'), `never read ${JSON.stringify(mark)}`)
    return this.take(this.bytes.indexOf(mark, 0, 'latin1') + mark.length)
  }

  /** Takes so many bytes. */
  async take(count: number): Promise<string> {
    await this.until(() => this.bytes.length >= count, `never read ${count} bytes`)
    const taken = this.bytes.toString('latin1', 0, count)
    this.bytes = this.bytes.subarray(count)
    return taken
  }

  private async bodyOf(fields: Message['fields'], isAnswer: boolean): Promise<Pick<Message, 'body' | 'trailers'>> {
    if (fields['transfer-encoding'] === 'chunked') return this.chunked()
    const length = fields['content-length']
    if (length !== undefined) return { body: await this.take(Number(length)), trailers: {} }
    if (!isAnswer) return NOTHING
    if ((await this.ended) === 'reset') throw new Error(`reset within a body, after ${this.unread}`)
    return { body: await this.take(this.bytes.length), trailers: {} }
  }

  private async chunked(): Promise<Pick<Message, 'body' | 'trailers'>> {
    let body = ''
    for (;;) {
      const size = Number.parseInt(await this.through('\r\n'), 16)
      if (size === 0) break
      body += (await this.take(size + 2)).slice(0, -2)
    }
    const lines: string[] = []
    for (let line = await this.through('\r\n'); line !== '\r\n'; line = await this.through('\r\n'))
      lines.push(line.slice(0, -2))
    return { body, trailers: toFields(lines) }
  }

  private async until(isSo: () => boolean, complaint: string): Promise<void> {
    while (!isSo()) {
      if (this.isOver) throw new Error(`The connection is over: ${complaint}, only ${JSON.stringify(this.unread)}.`)
      await new Promise<void>((resolve) => this.changed.add(resolve))
    }
  }

  private over(settle: () => void): void {
    this.isOver = true
    settle()
    this.tell()
  }

  private tell(): void {
    for (const resolve of this.changed) resolve()
    this.changed.clear()
  }
}

const NOTHING = { body: '', trailers: {} }

function toFields(lines: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(':')).toLowerCase()
    const value = line.slice(line.indexOf(':') + 1).trim()
    fields[name] = fields[name] === undefined ? value : `${fields[name]}, ${value}`
  }
  return fields
}

/** Opens a client's connection to a port of this machine. */
export async function dial(port: number): Promise<Wire> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  const wire = new Wire(socket)
  // A gateway that is full resets the connection so early that it never was one.
  await once(socket, 'connect').catch(() => undefined)
  return wire
}

export interface RawUpstream {
  /** What a configuration calls it. */
  readonly url: string
  readonly port: number
  /** The next connection that was opened to it, past or future; each is given once. */
  next(): Promise<Wire>
  /** All that were opened. */
  readonly wires: readonly Wire[]
}

/** An upstream that does on each connection what the test says; without a `serve`, the test takes them by `next`. */
export async function rawUpstream(serve?: (wire: Wire, index: number) => Promise<void>): Promise<RawUpstream> {
  const wires: Wire[] = []
  const waiting: (() => void)[] = []
  let given = 0
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const wire = new Wire(socket)
    wires.push(wire)
    waiting.shift()?.()
    // A connection that ends while it is served is what many of these tests are about.
    serve?.(wire, wires.length - 1).catch(() => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const next = async (): Promise<Wire> => {
    const index = given++
    if (wires[index] === undefined) await new Promise<void>((resolve) => waiting.push(resolve))
    const wire = wires[index]
    if (wire === undefined) throw new Error('connections are given in order')
    return wire
  }
  return { url: `http://127.0.0.1:${port}`, port, next, wires }
}

/** Answers every request on a connection with its request line and body. */
export async function echo(wire: Wire): Promise<void> {
  for (;;) {
    const { startLine, body } = await wire.message()
    const text = `${startLine} ${body}`
    wire.send(`HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`)
  }
}

/**
 * A whole gateway behind a real socket, and an upstream that keeps what reaches it: the second half of the conformance
 * run, where the connections and not only the parser are judged. Without a test runner.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileConfig } from '../../src/config/compile.ts'
import { toSnapshotLines } from '../../src/config/snapshot-lines.ts'
import { GatewayThread } from '../../src/gateway/thread.ts'
import { NO_VERDICTS } from '../../src/gateway/upstream/health-board.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { createCounterMemory, createCounters } from '../../src/kernel/counter-table.ts'
import { createQuotas } from '../../src/kernel/quota-table.ts'
import type { Snapshot } from '../../src/kernel/snapshot.ts'
import { deliverWhole } from '../../src/kernel/snapshot-delivery.ts'
import { findPolicy, policies } from '../../src/policies/index.ts'
import type { ExpectedMessage } from './llhttp-cases.ts'
import { readWithLlhttp } from './llhttp.ts'

export interface Delivered {
  /** The final answers that the client got. */
  readonly answers: readonly ExpectedMessage[]
  /** The requests that reached the upstream, whole. */
  readonly reached: readonly ExpectedMessage[]
  /** What is wrong with the bytes on either side; empty when llhttp reads them all. */
  readonly malformed: readonly string[]
}

/** What came to the upstream since the last delivery began, and what it answers. */
interface Reached {
  readonly messages: ExpectedMessage[]
  readonly errors: string[]
  /** Sent as they are before the upstream closes; an ordinary answer while undefined. */
  answer: Buffer | undefined
}

const ordinaryAnswer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'

export class ConformanceListener {
  private readonly thread: GatewayThread
  private readonly upstream: Server
  private readonly reached: Reached
  private readonly port: number

  private constructor(thread: GatewayThread, upstream: Server, reached: Reached, port: number) {
    this.thread = thread
    this.upstream = upstream
    this.reached = reached
    this.port = port
  }

  static async start(): Promise<ConformanceListener> {
    const reached: Reached = { messages: [], errors: [], answer: undefined }
    const upstream = createServer((socket) => answerAll(socket, reached))
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
    const memory = createCounterMemory({ limitSlots: 1024, gaugeSlots: 64, quotaSlots: 16 })
    const delivery = await deliverWhole(toSnapshotLines(toSnapshot(toPort(upstream))))
    const thread = await GatewayThread.create(delivery, {
      findPolicy,
      counters: createCounters(memory, systemClock),
      quotas: createQuotas(memory.quotas, systemClock, () => undefined),
      verdicts: NO_VERDICTS,
      debug: false,
      ticketKeys: Buffer.alloc(48, 7),
      log: { warn: () => undefined, error: () => undefined, debug: () => undefined },
      recorded: () => undefined,
      seriesOf: () => 1,
    })
    return new ConformanceListener(thread, upstream, reached, await thread.listen('127.0.0.1', 0))
  }

  /** What a client gets of an upstream that answers with these bytes and closes. */
  async relay(answer: Buffer, method: string): Promise<Delivered> {
    this.reached.answer = answer
    const delivered = await this.deliver(
      [Buffer.from(`${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)],
      [method],
    )
    this.reached.answer = undefined
    return delivered
  }

  /** Sends the pieces over one connection, half-closes and waits until the gateway has closed it. */
  async deliver(pieces: readonly Buffer[], requestMethods: readonly string[]): Promise<Delivered> {
    this.reached.messages.length = 0
    this.reached.errors.length = 0
    const answers = await new Promise<Buffer[]>((resolve) => {
      const chunks: Buffer[] = []
      const socket = connect(this.port, '127.0.0.1')
      socket.setNoDelay(true)
      socket.on('data', (chunk: Buffer) => chunks.push(chunk))
      // A reset is an end like any other: what was answered before it counts.
      socket.on('error', () => undefined)
      socket.on('close', () => resolve(chunks))
      for (const piece of pieces) socket.write(piece)
      socket.end()
    })
    return toDelivered(answers, this.reached, requestMethods)
  }

  close(): void {
    this.thread.close()
    this.upstream.close()
  }
}

function toPort(server: Server): number {
  const address: AddressInfo | string | null = server.address()
  return address === null || typeof address === 'string' ? 0 : address.port
}

function toSnapshot(upstreamPort: number): Snapshot {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-conformance-'))
  const path = join(folder, 'headgate.json')
  const document = {
    headgate: 1,
    gateway: { halfClose: 'answer' },
    upstreams: [{ name: 'u', targets: [{ url: `http://127.0.0.1:${upstreamPort}` }] }],
    apis: [{ name: 'a', version: '1', upstream: 'u', routes: [{ name: 'all', match: { path: '/*' } }] }],
  }
  try {
    writeFileSync(path, JSON.stringify(document))
    return compileConfig(path, {}, policies).snapshot
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Answers each request as soon as llhttp finds it whole. */
function answerAll(socket: Socket, reached: Reached): void {
  const chunks: Buffer[] = []
  let answered = 0
  // The gateway closes a connection that it has no more use for.
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    const { messages, error } = readWithLlhttp(chunks, 'request')
    if (error !== undefined) reached.errors.push(error)
    const whole = messages.filter((each) => each.complete)
    for (const message of whole.slice(answered)) {
      reached.messages.push(message)
      if (reached.answer === undefined) socket.write(ordinaryAnswer)
      else socket.end(reached.answer)
    }
    answered = whole.length
  })
}

function toDelivered(answers: readonly Buffer[], reached: Reached, requestMethods: readonly string[]): Delivered {
  const malformed = reached.errors.map((error) => `to the upstream: ${error}`)
  let answered = 0
  const isAfterHead = (status: number): boolean => status >= 200 && requestMethods[answered++] === 'HEAD'
  const { messages, error } = readWithLlhttp(answers, 'response', isAfterHead)
  if (error !== undefined) malformed.push(`to the client: ${error}`)
  return { answers: messages.filter((each) => each.status >= 200), reached: [...reached.messages], malformed }
}

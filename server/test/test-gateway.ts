/**
 * A whole gateway in the test's own process, behind a real socket: configuration as a user writes it, a real HTTP
 * server as the upstream. Only that upstream is a double.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import {
  createServer,
  request as sendRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { stringify } from 'yaml'
import { compileConfig } from '../src/config/compile.ts'
import { toSnapshotLines } from '../src/config/snapshot-lines.ts'
import { GatewayThread } from '../src/gateway/thread.ts'
import { NO_VERDICTS } from '../src/gateway/upstream/health-board.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { createCounterMemory, createCounters } from '../src/kernel/counter-table.ts'
import { createQuotas } from '../src/kernel/quota-table.ts'
import type { PolicyDefinition } from '../src/kernel/policy.ts'
import type { ExchangeRecord } from '../src/kernel/record.ts'
import type { Snapshot } from '../src/kernel/snapshot.ts'
import { deliverWhole, type SnapshotLines } from '../src/kernel/snapshot-delivery.ts'
import { findPolicy, policies } from '../src/policies/index.ts'

export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly trailers: NodeJS.Dict<string>
}

export interface TestGatewayOptions {
  /** Policies of the one api. */
  readonly policies?: readonly object[]
  /** Routes of the one api; by default everything below `/`. */
  readonly routes?: readonly object[]
  /** Further keys of the one api, of the one upstream, and of the document. */
  readonly api?: object
  readonly upstream?: object
  readonly document?: object
  /** Answers for the upstream; by default 200 with a JSON account of what it saw. */
  readonly respond?: (request: IncomingMessage, response: ServerResponse, body: string) => void
  /** Instead of the upstream's server: where to send requests. */
  readonly target?: string
  readonly debug?: boolean
  /** What it runs, instead of what the options above describe. */
  readonly snapshot?: Snapshot | SnapshotLines
  /** Policies of the test's own beside those of the product. */
  readonly definitions?: readonly PolicyDefinition[]
}

export interface TestGateway {
  readonly port: number
  readonly thread: GatewayThread
  /** What reached the upstream, in order. */
  readonly seen: readonly SeenRequest[]
  /** Records in the order in which exchanges ended. */
  readonly records: readonly ExchangeRecord[]
  /** What was logged as a fault or warning. */
  readonly logged: readonly { readonly facts: Readonly<Record<string, unknown>>; readonly message: string }[]
  /** `inject('GET /books', { headers })`: over a new connection each. */
  inject(
    line: string,
    options?: { headers?: Record<string, string | string[]>; body?: string | Buffer },
  ): Promise<Answered>
  /** Takes other options' document, as a reload does. */
  reload(options: TestGatewayOptions): Promise<void>
  /** Resolves when so many records were written. */
  recorded(count: number): Promise<readonly ExchangeRecord[]>
}

/** Starts one; it ends with the test. */
export async function testGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const seen: SeenRequest[] = []
  const records: ExchangeRecord[] = []
  const logged: { facts: Readonly<Record<string, unknown>>; message: string }[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  const note = (facts: Readonly<Record<string, unknown>>, message: string): void => void logged.push({ facts, message })
  const server = options.target === undefined ? await startUpstream(seen, options) : undefined
  const target = options.target ?? `http://127.0.0.1:${portOf(server)}`
  const memory = createCounterMemory({ limitSlots: 1024, gaugeSlots: 64, quotaSlots: 1024 })
  const thread = await GatewayThread.create(await deliverWhole(linesOf(options, target)), {
    findPolicy: (kind) => options.definitions?.find((each) => each.kind === kind) ?? findPolicy(kind),
    counters: createCounters(memory, systemClock),
    quotas: createQuotas(memory.quotas, systemClock, () => undefined),
    verdicts: NO_VERDICTS,
    debug: options.debug ?? false,
    ticketKeys: Buffer.alloc(48, 7),
    log: { warn: note, error: note, debug: () => undefined },
    recorded: (record) => {
      records.push(record)
      for (const wait of waiting) if (records.length >= wait.count) wait.resolve()
    },
    seriesOf: () => 1,
  })
  const port = await thread.listen('127.0.0.1', 0)
  onTestFinished(() => {
    thread.close()
    server?.closeAllConnections()
    server?.close()
  })
  return {
    port,
    thread,
    seen,
    records,
    logged,
    inject: (line, request) => inject(port, line, request),
    reload: async (next) => {
      await thread.prepare(await deliverWhole(linesOf(next, target)))
      thread.commit()
    },
    recorded: async (count) => {
      if (records.length < count) await new Promise<void>((resolve) => waiting.push({ count, resolve }))
      return records
    },
  }
}

function linesOf(options: TestGatewayOptions, target: string): SnapshotLines {
  const snapshot = options.snapshot ?? toSnapshot(options, target)
  return 'lines' in snapshot ? snapshot : toSnapshotLines(snapshot)
}

/** Compiles the configuration that the options describe, through the same code as a file of a user's. */
export function toSnapshot(options: TestGatewayOptions, target: string): Snapshot {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'))
  try {
    const path = join(folder, 'headgate.yaml')
    const routes = options.routes ?? [{ name: 'all', match: { path: '/*' } }]
    const api = {
      name: 'test',
      version: '1',
      upstream: 'test',
      policies: options.policies ?? [],
      routes,
      ...options.api,
    }
    const upstream = { name: 'test', targets: [{ url: target }], ...options.upstream }
    writeFileSync(path, stringify({ headgate: 1, upstreams: [upstream], apis: [api], ...options.document }))
    return compileConfig(path, {}, [...policies, ...(options.definitions ?? [])]).snapshot
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function startUpstream(seen: SeenRequest[], { respond = echo }: TestGatewayOptions): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body })
      respond(request, response, body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

function echo(request: IncomingMessage, response: ServerResponse, body: string): void {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ method: request.method, url: request.url, body }))
}

function portOf(server: Server | undefined): number {
  const address = server?.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function inject(
  port: number,
  line: string,
  { headers = {}, body }: Parameters<TestGateway['inject']>[1] = {},
): Promise<Answered> {
  const [method, path] = line.split(' ')
  return new Promise((resolve, reject) => {
    const request = sendRequest({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
          trailers: response.trailers,
        }),
      )
    })
    request.on('error', reject)
    request.end(body)
  })
}

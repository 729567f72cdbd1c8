/** Sends requests through an upstream client and waits for what comes back, for tests of the clients. */
import { type Body, type BodySink, type BodySource, isBodySource } from '../src/kernel/body.ts'
import { Fields } from '../src/kernel/fields.ts'
import type { UpstreamCall, UpstreamClient, UpstreamError, UpstreamRequest } from '../src/gateway/upstream/client.ts'

export interface Answer {
  readonly status: number
  readonly fields: Fields
  readonly body: Body
}

export interface PendingAnswer {
  readonly call: UpstreamCall
  /** Rejects with the error when the call fails before a head. */
  readonly answer: Promise<Answer>
  readonly interim: { readonly status: number; readonly fields: Fields }[]
  /** How often the receiver was told an outcome. */
  outcomes: number
}

export function toRequest(
  parts: Partial<UpstreamRequest> & { readonly header?: Record<string, string> } = {},
): UpstreamRequest {
  const { header, ...rest } = parts
  return {
    method: 'GET',
    path: '/',
    authority: 'books.test',
    scheme: 'http',
    fields: Fields.of(header ?? {}),
    forwarded: undefined,
    body: undefined,
    upgrade: undefined,
    acceptsTrailers: false,
    ...rest,
  }
}

export function sendRequest(client: UpstreamClient, request: UpstreamRequest): PendingAnswer {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const interim: { status: number; fields: Fields }[] = []
  const counted = { outcomes: 0 }
  // A test that looks at the outcome later must not be interrupted by it.
  promise.catch(() => undefined)
  const call = client.send(request, {
    informational: (status, fields) => void interim.push({ status, fields }),
    head(status, fields, body) {
      counted.outcomes++
      resolve({ status, fields, body })
    },
    fail(error: UpstreamError) {
      counted.outcomes++
      reject(error)
    },
  })
  return Object.assign(counted, { call, answer: promise, interim })
}

export interface WholeBody {
  readonly bytes: Buffer
  readonly trailers: Fields | undefined
}

export function readWhole(body: Body): Promise<WholeBody> {
  if (body === undefined || !isBodySource(body)) {
    return Promise.resolve({ bytes: Buffer.from(body ?? []), trailers: undefined })
  }
  const { promise, resolve, reject } = Promise.withResolvers<WholeBody>()
  const chunks: Uint8Array[] = []
  body.flow({
    chunk: (bytes) => chunks.push(bytes) > 0,
    end: (trailers) => resolve({ bytes: Buffer.concat(chunks), trailers }),
    fail: reject,
  })
  return promise
}

/** A body that a test writes by hand. */
export class HandBody implements BodySource {
  readonly bodyBytes: number | undefined
  readonly cancelled: Promise<void>
  private sink: BodySink | undefined
  private readonly flowing = Promise.withResolvers<BodySink>()
  private readonly cancelling = Promise.withResolvers<void>()
  private resumed: (() => void) | undefined

  constructor(bodyBytes?: number) {
    this.bodyBytes = bodyBytes
    this.cancelled = this.cancelling.promise
  }

  flow(sink: BodySink): void {
    this.sink = sink
    this.flowing.resolve(sink)
  }

  resume(): void {
    this.resumed?.()
  }

  cancel(): void {
    this.cancelling.resolve()
  }

  /** Writes a chunk when somebody reads; settles with true when more may follow at once. */
  async write(bytes: string | Uint8Array): Promise<boolean> {
    const sink = await this.flowing.promise
    return sink.chunk(typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
  }

  /** Settles when the reader takes more after a `write` that answered false. */
  drained(): Promise<void> {
    return new Promise((resolve) => (this.resumed = resolve))
  }

  async end(trailers?: Fields): Promise<void> {
    const sink = await this.flowing.promise
    sink.end(trailers)
  }

  fail(cause: Error): void {
    this.sink?.fail(cause)
  }
}

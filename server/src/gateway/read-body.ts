/**
 * Reads a whole request body for the policies that asked for it, and undoes its content-encoding (RFC 9110 §8.4), both
 * within a limit. The original bytes stay what is forwarded.
 */
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib'
import { isBodySource, type BodySource } from '../kernel/body.ts'
import { BodyProblem } from '../kernel/body-problem.ts'
import type { ExchangeRequest } from '../kernel/exchange.ts'
import { defineProblem, type Problem } from '../kernel/problem.ts'
import { requestBodyBroken } from './upstream/problems.ts'

export const contentTooLarge = defineProblem({
  code: 'request.content_too_large',
  status: 413,
  title: 'Content too large',
  blame: 'caller',
  remedy:
    'A policy of this route has to read the whole body and takes no more than its limit, also after decompression. Send less.',
})

export const encodingNotSupported = defineProblem({
  code: 'request.encoding_not_supported',
  status: 415,
  title: 'Content encoding not supported',
  blame: 'caller',
  remedy: 'Send the body as it is or with one of gzip, deflate, br, zstd as its one content-encoding.',
})

/** What of the library's functions is used: with `info` they say how much of the input they read. */
type Decompress = (
  bytes: Uint8Array,
  options: { maxOutputLength: number; info: true },
  done: (error: Error | null, result: unknown) => void,
) => void

const decoders = new Map<string, Decompress>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', inflate],
  ['br', brotliDecompress],
  ['zstd', zstdDecompress],
])

/** First room for a body, whatever length it announces; doubled when it is full, so that many small pieces cost no more. */
const FIRST_BYTES = 4096

/** Fills in `request.content` and replaces `request.body` by its bytes; a problem when that cannot be done. */
export async function readBody(request: ExchangeRequest, limitBytes: number): Promise<Problem | undefined> {
  const { body } = request
  if (body === undefined) {
    request.content = new Uint8Array(0)
    return undefined
  }
  const encoding = request.fields.joined('content-encoding')?.trim().toLowerCase() ?? 'identity'
  const decompress = decoders.get(encoding)
  if (decompress === undefined && encoding !== 'identity') {
    return encodingNotSupported({ headers: { 'accept-encoding': 'gzip, deflate, br, zstd' } })
  }
  const bytes = isBodySource(body) ? await collect(body, limitBytes) : body
  if (!(bytes instanceof Uint8Array)) return bytes
  request.body = bytes
  request.bodyEndedMs = 0
  if (bytes.length > limitBytes) return contentTooLarge({ detail: `The body is longer than ${limitBytes} bytes.` })
  if (decompress === undefined) {
    request.content = bytes
    return undefined
  }
  try {
    request.content = await decode(decompress, bytes, limitBytes)
  } catch (cause) {
    const tooLarge = cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE'
    if (tooLarge) return contentTooLarge({ detail: `The decompressed body is longer than ${limitBytes} bytes.`, cause })
    return encodingNotSupported({ detail: `The body is not what its content-encoding "${encoding}" says.`, cause })
  }
  return undefined
}

/** Rejects what goes on behind its end: some readers stop there, others read on and see another content. */
function decode(decompress: Decompress, bytes: Uint8Array, limitBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    decompress(bytes, { maxOutputLength: limitBytes, info: true }, (error, result) => {
      if (error !== null) reject(error)
      else if (!isWithInfo(result)) reject(new Error('the decoder does not say how much it read'))
      else if (result.engine.bytesWritten !== bytes.length) reject(new Error('bytes follow the encoded content'))
      else resolve(result.buffer)
    })
  })
}

function isWithInfo(result: unknown): result is { buffer: Buffer; engine: { bytesWritten: number } } {
  return typeof result === 'object' && result !== null && 'buffer' in result && 'engine' in result
}

function collect(source: BodySource, limitBytes: number): Promise<Uint8Array | Problem> {
  const tooLarge = (): Problem => contentTooLarge({ detail: `The body is longer than ${limitBytes} bytes.` })
  if (source.bodyBytes !== undefined && source.bodyBytes > limitBytes) return Promise.resolve(tooLarge())
  return new Promise((resolve) => {
    let held = Buffer.allocUnsafe(FIRST_BYTES)
    let total = 0
    source.flow({
      chunk(bytes) {
        total += bytes.length
        if (total > limitBytes) {
          source.cancel()
          resolve(tooLarge())
          return true
        }
        if (total > held.length) held = Buffer.concat([held], Math.min(limitBytes, 2 * total))
        held.set(bytes, total - bytes.length)
        return true
      },
      end: () => resolve(held.subarray(0, total)),
      fail: (cause) => resolve(cause instanceof BodyProblem ? cause.problem : requestBodyBroken({ cause })),
    })
  })
}

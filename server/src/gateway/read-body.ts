/**
 * Reads a whole request body for the policies that asked for it, and undoes its content-encoding (RFC 9110 §8.4), both
 * within a limit. The original bytes stay what is forwarded.
 */
import { promisify } from 'node:util'
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

type Decode = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>

const DECODERS: Readonly<Record<string, Decode>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
}

/** Fills in `request.content` and replaces `request.body` by its bytes; a problem when that cannot be done. */
export async function readBody(request: ExchangeRequest, limitBytes: number): Promise<Problem | undefined> {
  const { body } = request
  if (body === undefined) {
    request.content = new Uint8Array(0)
    return undefined
  }
  const encoding = request.fields.joined('content-encoding')?.trim().toLowerCase() ?? 'identity'
  const decode = DECODERS[encoding]
  if (decode === undefined && encoding !== 'identity') {
    return encodingNotSupported({ headers: { 'accept-encoding': 'gzip, deflate, br, zstd' } })
  }
  const bytes = isBodySource(body) ? await collect(body, limitBytes) : body
  if (!(bytes instanceof Uint8Array)) return bytes
  request.body = bytes
  request.bodyEndedMs = 0
  if (bytes.length > limitBytes) return contentTooLarge({ detail: `The body is longer than ${limitBytes} bytes.` })
  if (decode === undefined) {
    request.content = bytes
    return undefined
  }
  try {
    request.content = await decode(bytes, { maxOutputLength: limitBytes })
  } catch (cause) {
    const tooLarge = cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE'
    if (tooLarge) return contentTooLarge({ detail: `The decompressed body is longer than ${limitBytes} bytes.`, cause })
    return encodingNotSupported({ detail: `The body is not what its content-encoding "${encoding}" says.`, cause })
  }
  return undefined
}

function collect(source: BodySource, limitBytes: number): Promise<Uint8Array | Problem> {
  const tooLarge = (): Problem => contentTooLarge({ detail: `The body is longer than ${limitBytes} bytes.` })
  if (source.bodyBytes !== undefined && source.bodyBytes > limitBytes) return Promise.resolve(tooLarge())
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = []
    let total = 0
    source.flow({
      chunk(bytes) {
        total += bytes.length
        if (total > limitBytes) {
          source.cancel()
          resolve(tooLarge())
        } else chunks.push(bytes)
        return true
      },
      end: () => resolve(Buffer.concat(chunks, total)),
      fail: (cause) => resolve(cause instanceof BodyProblem ? cause.problem : requestBodyBroken({ cause })),
    })
  })
}

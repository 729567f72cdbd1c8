/**
 * Reads a whole request body for the policies that asked for it, and undoes its content-encoding (RFC 9110 §8.4), both
 * within a limit. The original bytes stay what is forwarded.
 */
import type { Transform } from 'node:stream'
import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { isBodySource, type BodySource } from '../kernel/body.ts'
import { BodyProblem } from '../kernel/body-problem.ts'
import type { ExchangeRequest } from '../kernel/exchange.ts'
import { defineProblem, type Problem } from '../kernel/problem.ts'
import type { HeldRoom } from './body-room.ts'
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

/** RFC 9659 §3: nobody has to be able to read a zstd frame that needs a larger window. */
const MAX_ZSTD_WINDOW_LOG = 23

type Decoder = Transform & { readonly bytesWritten: number }

const decoders = new Map<string, () => Decoder>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
  ['zstd', () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: MAX_ZSTD_WINDOW_LOG } })],
])

/** First room for a body, whatever length it announces; doubled when it is full, so that many small pieces cost no more. */
const FIRST_BYTES = 4096

/** Fills in `request.content` and replaces `request.body` by its bytes; a problem when that cannot be done. */
export async function readBody(
  request: ExchangeRequest,
  limitBytes: number,
  held: HeldRoom,
): Promise<Problem | undefined> {
  const { body } = request
  if (body === undefined) {
    request.content = new Uint8Array(0)
    return undefined
  }
  const encoding = request.fields.joined('content-encoding')?.trim().toLowerCase() ?? 'identity'
  const createDecoder = decoders.get(encoding)
  if (createDecoder === undefined && encoding !== 'identity') {
    return encodingNotSupported({ headers: { 'accept-encoding': 'gzip, deflate, br, zstd' } })
  }
  const bytes = isBodySource(body) ? await collect(body, limitBytes, held) : body
  if (!(bytes instanceof Uint8Array)) return bytes
  request.body = bytes
  request.bodyEndedMs = 0
  if (bytes.length > limitBytes) return contentTooLarge({ detail: `The body is longer than ${limitBytes} bytes.` })
  if (createDecoder === undefined) {
    request.content = bytes
    return undefined
  }
  const content = await decode(createDecoder(), bytes, limitBytes, held)
  if (!(content instanceof Uint8Array)) {
    if (!(content instanceof Error)) return content
    return encodingNotSupported({
      detail: `The body is not what its content-encoding "${encoding}" says.`,
      cause: content,
    })
  }
  request.content = content
  return undefined
}

function collect(source: BodySource, limitBytes: number, held: HeldRoom): Promise<Uint8Array | Problem> {
  const tooLarge = (): Problem => contentTooLarge({ detail: `The body is longer than ${limitBytes} bytes.` })
  if (source.bodyBytes !== undefined && source.bodyBytes > limitBytes) return Promise.resolve(tooLarge())
  return new Promise((resolve) => {
    let collected = EMPTY
    let total = 0
    const refuse = (problem: Problem): true => {
      source.cancel()
      resolve(problem)
      return true
    }
    source.flow({
      chunk(bytes) {
        total += bytes.length
        if (total > limitBytes) return refuse(tooLarge())
        if (total > collected.length) {
          const roomBytes = Math.min(limitBytes, Math.max(FIRST_BYTES, 2 * total))
          if (!held.take(roomBytes - collected.length)) return refuse(toRoomProblem(held, roomBytes - collected.length))
          collected = Buffer.concat([collected], roomBytes)
        }
        collected.set(bytes, total - bytes.length)
        return true
      },
      end: () => resolve(collected.subarray(0, total)),
      fail: (cause) => resolve(cause instanceof BodyProblem ? cause.problem : requestBodyBroken({ cause })),
    })
  })
}

/**
 * Rejects what goes on behind its end: some readers stop there, others read on and see another content. Room is taken
 * piece by piece, since a few bytes may unpack to the whole limit.
 */
function decode(
  decoder: Decoder,
  bytes: Uint8Array,
  limitBytes: number,
  held: HeldRoom,
): Promise<Uint8Array | Problem | Error> {
  return new Promise((resolve) => {
    const pieces: Uint8Array[] = []
    let total = 0
    const refuse = (problem: Problem): void => {
      decoder.destroy()
      resolve(problem)
    }
    decoder.on('data', (piece: Uint8Array) => {
      total += piece.length
      if (total > limitBytes) {
        refuse(contentTooLarge({ detail: `The decompressed body is longer than ${limitBytes} bytes.` }))
      } else if (!held.take(piece.length)) refuse(toRoomProblem(held, piece.length))
      else pieces.push(piece)
    })
    decoder.once('end', () => {
      if (decoder.bytesWritten === bytes.length) resolve(Buffer.concat(pieces))
      else resolve(new Error('bytes follow the encoded content'))
    })
    decoder.once('error', resolve)
    decoder.end(bytes)
  })
}

/** What no room will ever be enough for is too large, whatever the policy's own limit is. */
function toRoomProblem(held: HeldRoom, bytes: number): Problem {
  if (held.couldHold(bytes)) return held.refusal()
  return contentTooLarge({ detail: 'The body needs more memory than the gateway has for all bodies together.' })
}

const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0)

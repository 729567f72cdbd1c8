import { expect, test } from 'vitest'
import type { Fields } from '../../kernel/fields.ts'
import { IncomingBody } from './incoming-body.ts'
import { CHUNKED } from './parse.ts'

const limits = { maxBodyBytes: 1000, maxTrailerBytes: 1000, maxFields: 10, isResponse: false }

/** Pushes each text as one read into a chunked body, and gives what its sink was told. */
function readChunked(reads: readonly string[], maxBodyBytes = limits.maxBodyBytes): string[] {
  const told: string[] = []
  const owner = { bodyFlows: () => undefined, bodyCancelled: () => undefined }
  const body = new IncomingBody(owner, CHUNKED, { ...limits, maxBodyBytes })
  body.flow({
    chunk: (bytes) => told.push(Buffer.from(bytes).toString()) > 0,
    end: (trailers: Fields | undefined) => void told.push(`end ${trailers?.names.join() ?? ''}`),
    fail: (cause) => void told.push(`fail ${cause.message}`),
  })
  for (const read of reads) body.push(Buffer.from(read), 0, Buffer.byteLength(read), true)
  return told
}

test('chunks of one read go on as one piece, so that tiny ones cost no write each', () => {
  const tiny = 'stream of bytes'.replaceAll(/./g, '1\r\n$&\r\n')
  expect(readChunked([`${tiny}0\r\n\r\n`])).toEqual(['stream of bytes', 'end '])
})

test('what one read brings goes on at once, also when a chunk or its size is not whole yet', () => {
  expect(readChunked(['3\r\nabc\r\n5\r\nde', 'fgh\r\n', '1', '\r\ni\r\n0\r\nx-sum: 1\r\n\r\n'])).toEqual([
    'abcde',
    'fgh',
    'i',
    'end x-sum',
  ])
})

test('a limit counts the data of all chunks, and a flaw behind good chunks ends the body', () => {
  expect(readChunked(['2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n'], 3)).toEqual(['fail http.body_too_large'])
  expect(readChunked(['2\r\nab\r\n', '2\r\ncd\r\nx\r\n'])).toEqual(['ab', 'fail http.malformed_body'])
})

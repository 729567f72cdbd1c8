import { describe, expect, test } from 'vitest'
import type { Fields } from '../../kernel/fields.ts'
import { IncomingBody } from './incoming-body.ts'
import { CHUNKED, UNTIL_CLOSE } from './parse.ts'

const limits = { maxBodyBytes: 1000, maxTrailerBytes: 1000, maxFields: 10, isResponse: false }

const owner = { bodyFlows: () => undefined, bodyCancelled: () => undefined }

/** Pushes each text as one read into a chunked body, and gives what its sink was told. */
function readChunked(reads: readonly string[], maxBodyBytes = limits.maxBodyBytes): string[] {
  const told: string[] = []
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

describe('the memory of large pieces', () => {
  const read = (text: string): Buffer => Buffer.alloc(40_000, text)

  /** A body of which each read is a piece, and the pieces that its sink was given. */
  function passOn(sink: { isThrough?: boolean; flows: boolean }): { body: IncomingBody; pieces: Uint8Array[] } {
    const pieces: Uint8Array[] = []
    const body = new IncomingBody(owner, UNTIL_CLOSE, { ...limits, maxBodyBytes: 1_000_000 })
    const parts = { end: () => undefined, fail: () => undefined }
    body.flow(Object.assign(sink, parts, { chunk: (bytes: Uint8Array) => pieces.push(bytes) > 0 && sink.flows }))
    return { body, pieces }
  }

  test('is used again when the kernel has them', () => {
    const { body, pieces } = passOn({ isThrough: true, flows: true })
    for (const text of ['a', 'b']) body.push(read(text), 0, 40_000, true)
    expect(pieces[1]?.buffer).toBe(pieces[0]?.buffer)
    expect(Buffer.from(pieces[1] ?? [])).toEqual(read('b'))
  })

  test.each([
    ['holds some of them', false],
    ['does not say', undefined],
  ])('is not used again while their sink %s', (_, isThrough) => {
    const { body, pieces } = passOn({ ...(isThrough === undefined ? {} : { isThrough }), flows: true })
    for (const text of ['a', 'b', 'c']) body.push(read(text), 0, 40_000, true)
    expect(pieces.map((piece) => Buffer.from(piece))).toEqual(['a', 'b', 'c'].map(read))
  })

  test('is used again once a sink that was full asks for more, and has nothing left', () => {
    const sink = { isThrough: false, flows: false }
    const { body, pieces } = passOn(sink)
    body.push(read('a'), 0, 40_000, true)
    sink.isThrough = true
    body.resume()
    body.push(read('b'), 0, 40_000, true)
    expect(pieces[1]?.buffer).toBe(pieces[0]?.buffer)
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ChunkedDecoder } from './chunked.ts'

const limits = { maxTrailerBytes: 200, maxFields: 5, maxExtensionBytes: 20 }

interface Decoded {
  readonly body: string
  readonly consumed: number
  readonly decoder: ChunkedDecoder
}

/** Feeds the bytes in pieces of the given lengths, the rest as one. */
function decode(bytes: Buffer, lengths: readonly number[] = []): Decoded {
  let body = ''
  const decoder = new ChunkedDecoder(limits, (data, start, end) => (body += data.toString('latin1', start, end)))
  let at = 0
  for (const length of [...lengths, bytes.length]) {
    const end = Math.min(bytes.length, at + length)
    at = decoder.push(bytes, at, end)
    if (decoder.done || decoder.problem !== undefined) break
  }
  return { body, consumed: at, decoder }
}

function encode(chunks: readonly string[], extension: string, trailers: string): Buffer {
  const encoded = chunks
    .filter((chunk) => chunk !== '')
    .map((chunk) => `${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`)
  return Buffer.from(`${encoded.join('')}0\r\n${trailers}\r\n`, 'latin1')
}

describe('the chunked decoder', () => {
  const chunks = fc.array(fc.string({ unit: 'binary-ascii', maxLength: 40 }), { maxLength: 4 })
  const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60 })

  test('gives back what was encoded, however it is cut, and leaves what follows', () => {
    fc.assert(
      fc.property(
        chunks,
        lengths,
        fc.constantFrom('', ';a', ';a=b'),
        fc.constantFrom('', 'X-Sum: 1\r\n'),
        (parts, cuts, extension, trailers) => {
          const bytes = encode(parts, extension, trailers)
          const { body, consumed, decoder } = decode(Buffer.concat([bytes, Buffer.from('GET / ')]), cuts)
          expect(decoder.problem).toBeUndefined()
          expect([body, consumed, decoder.done]).toEqual([parts.join(''), bytes.length, true])
          expect(decoder.trailers?.get('x-sum')).toBe(trailers === '' ? undefined : '1')
        },
      ),
      { numRuns: 1000 },
    )
  })

  test('comes to the same end for any bytes, however they are cut', () => {
    const piece = fc.constantFrom(
      '5',
      'a',
      '0',
      '\r\n',
      '\r',
      '\n',
      ';',
      '=',
      '"',
      '\\',
      ' ',
      'hello',
      'X: y\r\n',
      '0\r\n\r\n',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), lengths, (pieces, cuts) => {
        const bytes = Buffer.from(pieces.join(''))
        const [whole, cut] = [decode(bytes), decode(bytes, cuts)]
        expect([cut.body, cut.decoder.done, cut.decoder.problem]).toEqual([
          whole.body,
          whole.decoder.done,
          whole.decoder.problem,
        ])
      }),
      { numRuns: 3000 },
    )
  })

  test('counts the extensions of the whole body against one limit', () => {
    expect(decode(encode(['a', 'b'], ';12345678', '')).decoder.problem).toBeUndefined()
    expect(decode(encode(['a', 'b', 'c'], ';12345678', '')).decoder.problem?.detail).toContain('extensions')
  })

  test('takes no more trailers than it may', () => {
    expect(decode(encode([], '', `X: ${'a'.repeat(190)}\r\n`)).decoder.problem).toBeUndefined()
    expect(decode(encode([], '', `X: ${'a'.repeat(300)}\r\n`)).decoder.problem?.detail).toContain('trailers')
    expect(decode(encode([], '', 'a: b\r\n'.repeat(6))).decoder.problem?.detail).toContain('trailer')
  })

  test('blames the caller for a request and the upstream for a response', () => {
    const { decoder } = decode(Buffer.from('x'))
    expect(decoder.problem?.definition).toMatchObject({ code: 'http.malformed_body', blame: 'caller' })
    expect(decoder.responseProblem?.definition).toMatchObject({
      code: 'upstream.malformed_response',
      blame: 'upstream',
    })
  })

  test('starts anew after a reset, also after a flaw', () => {
    let body = ''
    const decoder = new ChunkedDecoder(limits, (data, start, end) => (body += data.toString('latin1', start, end)))
    decoder.push(Buffer.from('5\r\nhelloX'), 0, 9)
    decoder.reset()
    body = ''
    const bytes = Buffer.from('2\r\nok\r\n0\r\n\r\n')
    expect(decoder.push(bytes, 0, bytes.length)).toBe(bytes.length)
    expect([body, decoder.done, decoder.problem]).toEqual(['ok', true, undefined])
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Fields } from '../../kernel/fields.ts'
import type { FieldEntry } from './field-entry.ts'
import { HpackDecoder } from './hpack-decoder.ts'
import { HpackEncoder } from './hpack-encoder.ts'
import { decodeHuffman, toMaxDecoded } from './hpack-huffman.ts'

type Pair = readonly [string, string]

/** The fields of a block, or undefined when it is not valid. */
function decode(decoder: HpackDecoder, block: Buffer, maxListBytes = 65_536): Pair[] | undefined {
  const section: FieldEntry[] = []
  const isValid = decoder.decode(block, 0, block.length, section, maxListBytes)
  return isValid ? section.map(({ name, value }) => [name, value]) : undefined
}

const fromHex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

describe('the decoder reads the examples of RFC 7541, appendix C', () => {
  const first: Pair[] = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ]
  const second: Pair[] = [...first, ['cache-control', 'no-cache']]
  const third: Pair[] = [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ]

  test('C.2: each kind of literal', () => {
    const custom = fromHex('400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572')
    expect(decode(new HpackDecoder(), custom)).toEqual([['custom-key', 'custom-header']])
    const path = fromHex('040c 2f73 616d 706c 652f 7061 7468')
    expect(decode(new HpackDecoder(), path)).toEqual([[':path', '/sample/path']])
    const secret = fromHex('1008 7061 7373 776f 7264 0673 6563 7265 74')
    expect(decode(new HpackDecoder(), secret)).toEqual([['password', 'secret']])
    expect(decode(new HpackDecoder(), fromHex('82'))).toEqual([[':method', 'GET']])
  })

  test.each([
    [
      'C.3: requests without Huffman code',
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ],
    [
      'C.4: requests with Huffman code',
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ],
  ])('%s', (_, ...blocks) => {
    const decoder = new HpackDecoder()
    expect(blocks.map((block) => decode(decoder, fromHex(block)))).toEqual([first, second, third])
  })

  test('C.6: a table that is too small for all of it', () => {
    const decoder = new HpackDecoder()
    decoder.table.resize(256)
    const blocks = [
      '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      '4883 640e ffc1 c0bf',
      '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
    ]
    const [one, two, three] = blocks.map((block) => decode(decoder, fromHex(block)))
    const date = ['date', 'Mon, 21 Oct 2013 20:13:21 GMT']
    const location = ['location', 'https://www.example.com']
    expect(one).toEqual([[':status', '302'], ['cache-control', 'private'], date, location])
    expect(two).toEqual([[':status', '307'], ['cache-control', 'private'], date, location])
    expect(three?.at(-1)).toEqual(['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'])
  })
})

describe('the decoder refuses', () => {
  test.each([
    ['an index that nothing stands at', '80'],
    ['an index behind the end of the table', 'be'],
    ['a literal whose name is at no index', '7f 0f 01 61'],
    ['an integer that does not end', 'ff ff ff ff ff ff ff ff ff'],
    ['an integer that is cut', 'ff'],
    ['a text that is longer than the block', '00 05 61'],
    ['a Huffman text with the word for the end', '00 84 ff ff ff ff 00'],
    ['a Huffman text padded with zeroes', '00 81 18 00'],
    ['a Huffman text padded with a whole byte', '00 82 1f ff 00'],
    ['a table larger than was allowed', '3f e2 1f'],
    ['a new size of the table behind a field', '82 20'],
  ])('%s', (_, block) => {
    expect(decode(new HpackDecoder(), fromHex(block))).toBeUndefined()
  })

  test('nothing else: any bytes end in a section or in a refusal', () => {
    const decoder = new HpackDecoder()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        decode(decoder, Buffer.from(bytes))
        expect(decoder.table.entries.length).toBeLessThanOrEqual(4096 / 32)
      }),
      { numRuns: 3000 },
    )
  })
})

test('a list beyond its limit is not kept, and the table stays what the client thinks it is', () => {
  const decoder = new HpackDecoder()
  const insert = fromHex('4001 61 01 62')
  expect(decode(decoder, Buffer.concat([insert, Buffer.alloc(50_000, 0xbe)]), 1_000)?.length).toBeLessThan(40)
  expect(decoder.listBytes).toBe(50_001 * 34)
  expect(decode(decoder, fromHex('be'))).toEqual([['a', 'b']])
})

test('the Huffman code stands for every byte', () => {
  // Each in a text of its own, padded by the beginning of the end's word; lengths and codes are those of appendix B.
  const samples: Record<string, string> = { a: '1f', 0: '07', '\0': 'ffc7', '\xff': 'fffffbbf', '\xf9': 'ffffffef' }
  for (const [text, hex] of Object.entries(samples)) {
    const bytes = Buffer.from(hex, 'hex')
    const target = Buffer.alloc(toMaxDecoded(bytes.length))
    const length = decodeHuffman(bytes, 0, bytes.length, target)
    expect(target.toString('latin1', 0, length)).toBe(text)
  }
})

describe('the encoder', () => {
  const name = fc.constantFrom(
    'content-type',
    'cache-control',
    'server',
    'vary',
    'date',
    'x-request-id',
    'set-cookie',
    'x-other',
    'etag',
  )
  const value = fc.oneof(
    fc.constantFrom('', 'a', 'text/plain', 'x'.repeat(126), 'y'.repeat(127), 'z'.repeat(400)),
    fc.string({ unit: 'binary-ascii', maxLength: 12 }).map((text) => text.replaceAll(/[^!-~]/g, '.')),
  )
  const section = fc.array(fc.tuple(name, value), { maxLength: 12 })
  const resize = fc.option(fc.constantFrom(0, 50, 100, 400, 4096, 65_536), { nil: undefined, freq: 3 })

  test('writes what the decoder reads, whatever size the table is given in between', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(section, resize), { maxLength: 12 }), (rounds) => {
        const encoder = new HpackEncoder()
        const decoder = new HpackDecoder()
        for (const [pairs, tableBytes] of rounds) {
          if (tableBytes !== undefined) encoder.setTableBytes(tableBytes)
          const fields = new Fields(
            pairs.map(([each]) => each),
            pairs.map(([, each]) => each),
          )
          const block = Buffer.from(encoder.encodeAnswer(200, fields, 7), 'latin1')
          expect(decode(decoder, block)).toEqual([[':status', '200'], ...pairs, ['content-length', '7']])
          expect(decoder.table.maxBytes).toBeLessThanOrEqual(tableBytes ?? 4096)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('sends a field that stays the same as one byte the second time', () => {
    const encoder = new HpackEncoder()
    const fields = Fields.of({ 'content-type': 'application/json', server: 'acme' })
    const first = encoder.encodeTrailers(fields)
    expect([first.length > 20, encoder.encodeTrailers(fields).length]).toEqual([true, 2])
  })

  test('never lets a secret enter a table, in no proxy on the way either', () => {
    const encoder = new HpackEncoder()
    for (const secret of ['set-cookie', 'authorization', 'www-authenticate']) {
      const block = Buffer.from(encoder.encodeTrailers(Fields.of({ [secret]: 'abc' })), 'latin1')
      expect((block[0] ?? 0) & 0xf0).toBe(0x10)
      const decoder = new HpackDecoder()
      decode(decoder, block)
      expect(decoder.table.entries).toEqual([])
    }
  })

  test('leaves out the fields of HTTP/1.1 connections', () => {
    const fields = Fields.of({ connection: 'close', 'transfer-encoding': 'chunked', 'keep-alive': 'x', upgrade: 'x' })
    expect(new HpackEncoder().encodeTrailers(fields)).toBe('')
  })
})

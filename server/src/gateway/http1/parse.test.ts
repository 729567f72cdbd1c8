import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Problem } from '../../kernel/problem.ts'
import { isFieldValue } from './grammar.ts'
import { findHeadEnd, isHopelessHead, parseRequestHead, parseResponseHead, type HeadLimits } from './parse.ts'

const limits: HeadLimits = { maxHeadBytes: 8192, maxFields: 100, maxTargetBytes: 2048 }
const lineBytes = fc
  .array(fc.constantFrom(13, 10, 13, 10, 97, 58, 32), { maxLength: 60 })
  .map((codes) => Buffer.from(codes))

describe('the end of a head', () => {
  test('is where the first CRLF CRLF ends, whatever surrounds it', () => {
    fc.assert(
      fc.property(lineBytes, fc.nat(5), (bytes, start) => {
        const from = Math.min(start, bytes.length)
        const at = bytes.indexOf('\r\n\r\n', from)
        expect(findHeadEnd(bytes, from, from, bytes.length)).toBe(at === -1 ? -1 : at + 4)
      }),
      { numRuns: 2000 },
    )
  })

  test('is found just the same when the search goes on from where it stopped', () => {
    fc.assert(
      fc.property(lineBytes, fc.nat(60), (bytes, cut) => {
        const middle = Math.min(cut, bytes.length)
        const first = findHeadEnd(bytes, 0, 0, middle)
        const found = first === -1 ? findHeadEnd(bytes, 0, middle, bytes.length) : first
        expect(found).toBe(findHeadEnd(bytes, 0, 0, bytes.length))
      }),
      { numRuns: 2000 },
    )
  })

  test('is never found in what an older read left behind the end', () => {
    expect(findHeadEnd(Buffer.from('GET / HTTP/1.1\r\n\r\n'), 0, 0, 17)).toBe(-1)
  })
})

describe('a head that is not whole yet', () => {
  const isHopeless = (text: string): boolean => isHopelessHead(Buffer.from(text, 'latin1'), 0, 0, text.length)

  test('is given up at once when it holds a bare line break or a control character', () => {
    for (const text of ['GET / HTTP/1.1\n', '\n', 'GET /\rX', 'GET /\0', '\x16\x03\x01\x02'])
      expect(isHopeless(text)).toBe(true)
  })

  test('is waited for when it may still become one', () => {
    for (const text of ['', 'G', 'GET / HTTP/1.1\r', 'GET / HTTP/1.1\r\nX: a\tb\xff\r\n'])
      expect(isHopeless(text)).toBe(false)
  })
})

describe('a head that comes byte by byte', () => {
  test('is given up at the same byte as one that is looked at anew each time', () => {
    fc.assert(
      fc.property(lineBytes, (bytes) => {
        for (let end = 1; end <= bytes.length; end++) {
          const anew = isHopelessHead(bytes, 0, 0, end)
          expect(isHopelessHead(bytes, 0, end - 1, end)).toBe(anew)
          if (anew) return
        }
      }),
    )
  })
})

describe('the parsers', () => {
  test('take every byte for part of a value, wherever it stands, exactly when a value may hold it', () => {
    const limits = { maxHeadBytes: 1000, maxFields: 10, maxTargetBytes: 100 }
    for (let byte = 0; byte < 256; byte++) {
      for (let at = 0; at < 9; at++) {
        const value = `x${'a'.repeat(at)}${String.fromCharCode(byte)}${'b'.repeat(8 - at)}`
        const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nX-Value: ${value}\r\nX-Next: c\r\n\r\n`, 'latin1')
        const head = parseRequestHead(bytes, 0, bytes.length, limits)
        const values = head instanceof Problem ? undefined : head.fields.values
        expect(values).toEqual(isFieldValue(value) ? [value.replace(/[ \t]+$/, ''), 'c'] : undefined)
      }
    }
  })

  test('give each field its own name, also when one head has more unknown ones than are kept', () => {
    const names = Array.from({ length: 600 }, (_, i) => `x-unknown-${i}`)
    const text = `GET / HTTP/1.1\r\nHost: a\r\n${names.map((name) => `${name}: ${name}\r\n`).join('')}\r\n`
    const limits = { maxHeadBytes: 65_536, maxFields: 1000, maxTargetBytes: 100 }
    const head = parseRequestHead(Buffer.from(text), 0, text.length, limits)
    if (head instanceof Problem) throw new Error(head.detail)
    expect(head.fields.names).toEqual(names)
    expect(head.fields.values).toEqual(names)
  })

  const printable = fc.string({
    unit: fc.constantFrom('a', 'X', '-', ':', ';', ',', ' ', '\t', '"', '=', '%', '\xa0', '\x01', '\r', '\n'),
    maxLength: 30,
  })

  test('never throw, and refuse with a problem that costs no new object', () => {
    fc.assert(
      fc.property(printable, (text) => {
        const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n${text}\r\n\r\n`, 'latin1')
        const [first, second] = [
          parseRequestHead(bytes, 0, bytes.length, limits),
          parseRequestHead(bytes, 0, bytes.length, limits),
        ]
        if (first instanceof Problem) expect(second).toBe(first)
        const answer = Buffer.from(`HTTP/1.1 200 ${text}\r\n${text}\r\n\r\n`, 'latin1')
        expect(parseResponseHead(answer, 0, answer.length, limits, 'GET', false)).toBeDefined()
      }),
      { numRuns: 2000 },
    )
  })

  test('read a head in the midst of a buffer as they read it alone', () => {
    const head = 'GET /a?b HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n'
    const bytes = Buffer.from(`before${head}after`)
    const alone = parseRequestHead(Buffer.from(head), 0, head.length, limits)
    expect(parseRequestHead(bytes, 6, 6 + head.length, limits)).toEqual(alone)
  })

  test('keep a no-break space, which is text and no whitespace', () => {
    const bytes = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nX: \xa0a\xa0\r\n\r\n', 'latin1')
    const head = parseRequestHead(bytes, 0, bytes.length, limits)
    expect(head instanceof Problem ? head : head.fields.get('x')).toBe('\xa0a\xa0')
  })

  test('accept a 101 to WebSocket when it was asked for, and only a whole one', () => {
    const parse = (...lines: string[]): unknown => {
      const bytes = Buffer.from(['HTTP/1.1 101 Switching Protocols', ...lines, '', ''].join('\r\n'))
      return parseResponseHead(bytes, 0, bytes.length, limits, 'GET', true)
    }
    const [connection, upgrade, accept] = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Accept: x']
    expect(parse(connection, upgrade, accept)).toMatchObject({ status: 101, upgrade: true })
    expect(parse(connection, accept)).toBeInstanceOf(Problem)
    expect(parse(upgrade, accept)).toBeInstanceOf(Problem)
    expect(parse(connection, upgrade)).toBeInstanceOf(Problem)
    expect(parse(connection, 'Upgrade: h2c', accept)).toBeInstanceOf(Problem)
  })
})

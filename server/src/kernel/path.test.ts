import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeSegment, normalisePath } from './path.ts'
import { Problem } from './problem.ts'

const normalised = (raw: string): string => {
  const path = normalisePath(raw, 'refuse')
  return path instanceof Problem ? `refused: ${path.detail}` : path
}
const isRefused = (raw: string, encodedSlash: 'refuse' | 'keep' = 'refuse'): boolean =>
  normalisePath(raw, encodedSlash) instanceof Problem

describe('a path that is in its one form already', () => {
  for (const path of [
    '/',
    '/a',
    '/a/',
    '/a/b.c/~d',
    "/!$&'()*+,=:@",
    '/a;b=c/d',
    '/...',
    '/.well-known',
    '/a%20b',
    '/%C3%A9',
  ]) {
    test(`${path} comes back as it is`, () => expect(normalised(path)).toBe(path))
  }
})

describe('what all readers agree on is brought into one form', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['/%41%7a%2D%2e%5F%7E', '/Az-._~'],
    ['/%c3%a9', '/%C3%A9'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/a/.', '/a/'],
    ['/a/%2e%2E/b', '/b'],
    ['/a/.%2e/b', '/b'],
    ['//', '/'],
    ['/a//b///c', '/a/b/c'],
    ['/a//', '/a/'],
    ['/a//../b', '/b'],
    ['/%2541', '/%2541'],
    ['/a%3bb', '/a%3Bb'],
    ['/a%3Fb%23c', '/a%3Fb%23c'],
  ]
  for (const [raw, path] of cases) test(`${raw} becomes ${path}`, () => expect(normalised(raw)).toBe(path))
})

describe('what servers read in different ways is refused', () => {
  const cases = [
    '',
    'a',
    '*',
    'http://a/',
    '/..',
    '/../a',
    '/a/../..',
    '/a/%2e%2e/%2e%2e/etc',
    '/a\\b',
    '/a%5Cb',
    '/a%2Fb',
    '/a%2f..%2fb',
    '/%00',
    '/a%00.html',
    '/%0d%0aX:y',
    '/%7f',
    '/a\0',
    '/a\x7f',
    '/a b',
    '/a?b',
    '/a#b',
    '/é',
    '/a|b',
    '/a"b',
    '/%',
    '/%4',
    '/%zz',
    '/a%',
    '/%u002e',
    '/%252e%252e/',
    '/%252F',
    '/%25252f',
    '/%255c',
    '/%2500',
    '/%25%32%65',
    '/%253B',
    '/..;/a',
    '/a/..;x=1/b',
    '/a/.;/b',
    '/a/%2e%2e;/b',
    '/a/..%3b/b',
    '/;/a',
    '/a/;x/b',
    '/%3B/a',
    '/%C0%AF',
    '/%C0%AE%C0%AE/',
    '/%E0%80%AF',
    '/%ED%A0%80',
    '/%E9',
    '/%FF',
    '/%F4%90%80%80',
  ]
  for (const raw of cases) test(`${JSON.stringify(raw)}`, () => expect(isRefused(raw)).toBe(true))
})

describe('with encoded slashes kept', () => {
  test('an encoded slash stays data, in upper case', () => {
    expect(normalisePath('/a%2fb/c', 'keep')).toBe('/a%2Fb/c')
    expect(normalisePath('/a/%2f/../c', 'keep')).toBe('/a/c')
  })

  for (const raw of [
    '/a/..%2fb',
    '/a%2f..%2fb',
    '/a%2F%2e%2e',
    '/%2e%2F',
    '/a%2f..;x',
    '/a%2f..%3b',
    '/a%5cb',
    '/%252f',
  ]) {
    test(`${raw} is refused, because it hides a dot segment or another separator`, () => {
      expect(isRefused(raw, 'keep')).toBe(true)
    })
  }
})

describe('whatever is sent', () => {
  const piece = fc.constantFrom(
    ...'/ // . .. ; %2e %2E %2f %2F %5c %25 %252e %25%32%65 %41 %c3%a9 %c0%af %00 %3b %7f % a B ~ a;b | \\ é ? #'.split(
      ' ',
    ),
  )
  const rawPath = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`),
    fc.string({ maxLength: 20 }).map((text) => `/${text}`),
  )
  const policy = fc.constantFrom('refuse' as const, 'keep' as const)

  test('the normal form is its own normal form', () => {
    fc.assert(
      fc.property(rawPath, policy, (raw, encodedSlash) => {
        const path = normalisePath(raw, encodedSlash)
        if (typeof path === 'string') expect(normalisePath(path, encodedSlash)).toBe(path)
      }),
      { numRuns: 3000 },
    )
  })

  test('no dot segment, empty segment, separator or control character is left, however often it is decoded', () => {
    fc.assert(
      fc.property(rawPath, (raw) => {
        let path = normalisePath(raw, 'refuse')
        if (typeof path !== 'string') return
        for (let depth = 0; depth < 4; depth++) {
          expect(path.startsWith('/')).toBe(true)
          const segments: string[] = path.split('/').slice(1)
          expect(segments.slice(0, -1).every((segment) => segment.split(';')[0] !== '')).toBe(true)
          expect(segments.some((segment) => /^\.\.?(;|$)/.test(segment))).toBe(false)
          expect(/[\\\0-\x1f\x7f]/.test(path)).toBe(false)
          const before: string = path
          path = before.replaceAll(/%(?!25)[0-9A-F]{2}/gi, (each) => String.fromCharCode(parseInt(each.slice(1), 16)))
          path = path.replaceAll('%25', '%')
          // What decoding makes of reserved characters is data that no reader looks at again.
          path = path.replaceAll(/[?#\x80-\xff]/g, 'x')
        }
      }),
      { numRuns: 3000 },
    )
  })

  test('every segment can be decoded', () => {
    fc.assert(
      fc.property(rawPath, policy, (raw, encodedSlash) => {
        const path = normalisePath(raw, encodedSlash)
        if (typeof path === 'string') for (const segment of path.split('/')) decodeSegment(segment)
      }),
      { numRuns: 2000 },
    )
  })

  test('a path that URL parsers read in one way keeps its meaning', () => {
    const segment = fc.stringMatching(/^[a-zA-Z0-9._~-]{1,6}$/)
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), (segments) => {
        const path = normalisePath(`/${segments.join('/')}`, 'refuse')
        if (typeof path === 'string') expect(path).toBe(new URL(`http://a/${segments.join('/')}`).pathname)
      }),
    )
  })
})

test('a segment is decoded for its parameter', () => {
  expect(decodeSegment('caf%C3%A9%20%25')).toBe('café %')
  expect(decodeSegment('plain')).toBe('plain')
})

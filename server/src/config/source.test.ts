import { describe, expect, test } from 'vitest'
import { parseSource, type Source } from './source.ts'

function parse(text: string): { source: Source | undefined; faults: string[] } {
  const faults: string[] = []
  const source = parseSource('a.yaml', text, ({ line, column, message }) => faults.push(`${line}:${column} ${message}`))
  return { source, faults }
}

function valueOf(text: string): unknown {
  const { source, faults } = parse(text)
  expect(faults).toEqual([])
  return source?.value
}

describe('values', () => {
  test('are those of YAML 1.2: yes is text and a date stays text', () => {
    const value = valueOf('a: yes\nb: 2027-01-31\nc: 0x10\nd: ~\ne: [1, 2.5, true, "3"]\n')
    expect(value).toEqual({ a: 'yes', b: '2027-01-31', c: 16, d: null, e: [1, 2.5, true, '3'] })
  })

  test('are read from JSON with its escapes', () => {
    expect(valueOf('{"a": "\\u00e9\\/\\ud83d\\ude00", "b": [1e3]}')).toEqual({ a: 'é/😀', b: [1000] })
  })

  test('of aliases and merged maps are repeated, own keys winning', () => {
    expect(valueOf('a: &x { p: 1, q: 2 }\nb: *x\nc: { <<: *x, q: 3 }\nd: { <<: [*x, { r: 4 }] }')).toEqual({
      a: { p: 1, q: 2 },
      b: { p: 1, q: 2 },
      c: { p: 1, q: 3 },
      d: { p: 1, q: 2, r: 4 },
    })
  })

  test('keep number keys as text', () => expect(valueOf('200: ok')).toEqual({ 200: 'ok' }))
})

describe('places', () => {
  const { source } = parse('one:\n  - two: 2\n    three: [a, b]\n"four": x\n')

  test.each([
    [['one', 0, 'three'], 'value', '3:12'],
    [['one', 0, 'three'], 'key', '3:5'],
    [['one', 0, 'three', 1], 'value', '3:16'],
    [['one', 0], 'value', '2:5'],
    [['four'], 'key', '4:1'],
    [['one', 0, 'missing', 'deeper'], 'value', '2:5'],
    [[], 'value', '1:1'],
  ] as const)('of %j (%s) are %s', (path, at, expected) => {
    const place = source?.place(source.value, path, at)
    expect(`${place?.line}:${place?.column}`).toBe(expected)
  })
})

describe('hostile text', () => {
  test('that repeats itself without end is refused', () => {
    expect(parse('a: &a\n  b: *a\n').faults).toEqual(['2:6 the alias *a stands inside what it repeats'])
  })

  test('of a few lines that stands for billions of values is refused at once', () => {
    const levels = Array.from({ length: 12 }, (_, index) => {
      const inner = index === 0 ? 'x' : `*l${index - 1}`
      return `l${index}: &l${index} [${Array.from({ length: 10 }, () => inner).join(', ')}]`
    })
    const { source, faults } = parse(levels.join('\n'))
    expect(source).toBeUndefined()
    expect(faults[0]).toContain('repeats more than 1000000 values by aliases')
  })

  test('that nests deeply is refused, in brackets, in blocks and through aliases', () => {
    expect(parse('['.repeat(100_000)).faults[0]).toContain('nests deeper than 100 levels')
    expect(parse('- '.repeat(5000)).faults[0]).toContain('nests deeper than 100 levels')
    const chain = Array.from({ length: 20 }, (_, index) => {
      const inner = index === 0 ? 'x' : `*l${index - 1}`
      return `l${index}: &l${index} ${'['.repeat(20)}${inner}${']'.repeat(20)}`
    })
    expect(parse(chain.join('\n')).faults[0]).toContain('nests deeper than 100 levels')
  })

  test('cannot reach the prototype of what is made from it', () => {
    const { source, faults } = parse('__proto__: { polluted: true }\na: 1')
    expect(faults).toEqual(['1:1 this cannot be a key'])
    expect(source?.value).toEqual({ a: 1 })
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })

  test.each([
    ['a: 1\na: 2', '2:1 the key `a` stands here a second time'],
    ['a: *b', '1:4 the alias *b repeats nothing: its anchor is not above it'],
    ['a: 1\n---\nb: 2', 'holds a second document; write one document for each file'],
    ['a: !shell "rm"', 'is not valid YAML: unresolved tag: !shell'],
    ['a: [1', 'is not valid YAML'],
    ['[a]: 1', 'this cannot be a key'],
  ])('%j is refused', (text, message) => expect(parse(text).faults[0]).toContain(message))
})

describe('a large JSON document', () => {
  const json = (text: string): { source: Source | undefined; faults: string[] } => {
    const faults: string[] = []
    const source = parseSource('a.json', text, ({ line, column, message }) =>
      faults.push(`${line}:${column} ${message}`),
    )
    return { source, faults }
  }

  test('has the same values and places as by the careful reader', () => {
    const { source, faults } = json('{\n  "a": [1, { "b:\\"": "x\\": y" }],\n  "c": null\n}')
    expect(faults).toEqual([])
    expect(source?.value).toEqual({ a: [1, { 'b:"': 'x": y' }], c: null })
    const place = source?.place(source.value, ['a', 1, 'b:"'], 'key')
    expect(`${place?.line}:${place?.column}`).toBe('2:14')
  })

  test.each([
    ['{ "a": 1, "a": 2 }', '1:11 the key `a` stands here a second time'],
    ['{ "a": { "__proto__": 1 } }', '1:10 this cannot be a key'],
    [`${'['.repeat(200)}${']'.repeat(200)}`, 'nests deeper than 100 levels'],
    ['{ "a" 1 }', 'is not valid YAML'],
  ])('is refused when it is wrong: %#', (text, message) => expect(json(text).faults[0]).toContain(message))
})

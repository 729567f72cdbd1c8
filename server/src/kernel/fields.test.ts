import fc from 'fast-check'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { Fields } from './fields.ts'

/** Fields as the parser of HTTP/1.1 makes them; `blanks` before a value put its line out of order. */
function received(lines: readonly (readonly [name: string, value: string, blanks: number])[]): Fields {
  const fields = new Fields()
  const texts = lines.map(([name, value, blanks]) => `${name}:${' '.repeat(blanks)}${value}\r\n`)
  fields.receiveFrom(`${texts.join('')}\r\n`)
  let start = 0
  for (const [i, [name, value, blanks]] of lines.entries()) {
    fields.receive(name, value, blanks === 1 ? start : -1)
    start += texts[i]?.length ?? 0
  }
  return fields
}

interface Change {
  readonly kind: 'append' | 'set' | 'remove' | 'rename'
  readonly name: string
  readonly value: string
}

function apply({ kind, name, value }: Change, fields: Fields): void {
  if (kind === 'remove') fields.remove(name)
  else fields[kind](name, value)
}

function toPlainLines({ names, values }: Fields): string {
  return names.map((name, i) => `${name}: ${values[i]}\r\n`).join('')
}

const name = fc.constantFrom('a', 'cookie', 'x-long-name', 'via')
const value = fc.string({ unit: fc.constantFrom('a', 'b', ',', ' ') })
const change = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), name, value }),
  fc.record({ kind: fc.constant('set' as const), name, value }),
  fc.record({ kind: fc.constant('remove' as const), name, value }),
  fc.record({ kind: fc.constant('rename' as const), name, value: name }),
)

const lines = fc.array(fc.tuple(name, value, fc.nat(2)), { maxLength: 8 })
const changes = fc.array(change, { maxLength: 6 })

describe('the lines of fields', () => {
  test('say what the fields say, however they were received and changed', () => {
    fc.assert(
      fc.property(lines, changes, (given, all) => {
        const fields = received(given)
        for (const each of all) {
          apply(each, fields)
          expect(fields.toLines()).toBe(toPlainLines(fields))
        }
        expect(fields.clone().toLines()).toBe(toPlainLines(fields))
      }),
    )
  })

  test('say the same of fields that are remembered, whatever was made of them before', () => {
    fc.assert(
      fc.property(lines, fc.array(changes, { maxLength: 4 }), (given, rounds) => {
        const remembered = received(given).remember()
        for (const all of rounds) {
          const [fields, plain] = [remembered.clone(), received(given)]
          for (const each of all) {
            apply(each, fields)
            apply(each, plain)
            expect([fields.names, fields.values]).toEqual([plain.names, plain.values])
            expect(fields.toLines()).toBe(plain.toLines())
          }
        }
        expect(remembered.toLines()).toBe(received(given).toLines())
      }),
    )
  })

  test('of a copy do not change with the original', () => {
    const fields = received([
      ['a', 'one', 1],
      ['b', 'two', 1],
    ])
    const copy = fields.clone()
    fields.set('a', 'other')
    fields.remove('b')
    expect(copy.toLines()).toBe('a: one\r\nb: two\r\n')
  })
})

describe('what is made of a text of fields', () => {
  const upper = vi.fn<(text: string) => string>((text) => text.toUpperCase())

  beforeEach(() => void upper.mockClear())

  test('is made once for those that are remembered', () => {
    const remembered = new Fields(['a'], ['one']).remember()
    for (let round = 0; round < 3; round++) expect(remembered.clone().derive('one', upper)).toBe('ONE')
    expect(upper).toHaveBeenCalledOnce()
    expect(remembered.derive('two', upper)).toBe('TWO')
    expect(remembered.derive('one', (text) => text)).toBe('one')
    expect(remembered.derive('one', upper)).toBe('ONE')
  })

  test('is made each time for others, for those that were changed since, for a great many, and where many are gone', () => {
    const changed = new Fields(['a'], ['one']).remember()
    changed.append('b', 'two')
    const goes = ['b', 'c', 'd', 'e']
    const left = new Fields(['a', ...goes], ['one', ...goes]).remember()
    for (const name of goes) left.remove(name)
    const names = Array.from({ length: 33 }, (_, at) => `field-${at}`)
    const many = new Fields(
      names,
      names.map(() => 'one'),
    ).remember()
    for (const fields of [new Fields(['a'], ['one']), changed, many, left]) {
      for (let round = 0; round < 2; round++) expect(fields.derive('one', upper)).toBe('ONE')
    }
    expect(upper).toHaveBeenCalledTimes(8)
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
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

describe('the lines of fields', () => {
  test('say what the fields say, however they were received and changed', () => {
    const lines = fc.array(fc.tuple(name, value, fc.nat(2)), { maxLength: 8 })
    fc.assert(
      fc.property(lines, fc.array(change, { maxLength: 6 }), (given, changes) => {
        const fields = received(given)
        for (const each of changes) {
          if (each.kind === 'rename') fields.rename(each.name, each.value)
          else fields[each.kind](each.name, each.value)
          expect(fields.toLines()).toBe(toPlainLines(fields))
        }
        expect(fields.clone().toLines()).toBe(toPlainLines(fields))
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

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Problem } from '../../kernel/problem.ts'
import { HeadReader } from './head-reader.ts'
import type { RequestHead } from './head.ts'
import { parseRequestHead, type HeadLimits } from './parse.ts'

const limits: HeadLimits = { maxHeadBytes: 8192, maxFields: 6, maxTargetBytes: 200 }

/** Few sections, so that many follow themselves; some differ in a single byte, some are refused. */
const section = fc.constantFrom(
  'Host: a.example\r\nX-Api-Key: one\r\nAccept: */*\r\n\r\n',
  'Host: a.example\r\nX-Api-Key: two\r\nAccept: */*\r\n\r\n',
  'host: a.example\r\nX-Api-Key: one\r\nAccept: */*\r\n\r\n',
  'Host: a.example\r\nConnection: x-hop, close\r\nX-Hop: 1\r\nX-Kept: 1\r\n\r\n',
  'Host: a.example\r\nContent-Length: 5\r\nTE: trailers\r\n\r\n',
  'Host: a.example\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\n\r\n',
  `Host: a.example\r\nX-Long: ${'v'.repeat(5000)}\r\n\r\n`,
  'Host: a.example\r\nHost: a.example\r\n\r\n',
  'Host : a.example\r\n\r\n',
  '\r\n',
)
const requestLine = fc.constantFrom(
  'GET / HTTP/1.1\r\n',
  'POST /b?c=d HTTP/1.1\r\n',
  'GET /a HTTP/1.0\r\n',
  'GET http://b.example/ HTTP/1.1\r\n',
  'GET /\rX HTTP/1.1\r\n',
  '\r\nGET / HTTP/1.1\r\n',
  'GET /\r\n\r\nGET / HTTP/1.1\r\n',
)
/** What a policy does to the fields of its exchange. */
const change = fc.constantFrom('nothing', 'remove', 'set', 'append', 'rename')

function toPlain(head: RequestHead | Problem | undefined): unknown {
  if (head === undefined || head instanceof Problem) return head
  const { fields, ...rest } = head
  return { ...rest, names: [...fields.names], values: [...fields.values], lines: fields.toLines() }
}

function alter({ fields }: RequestHead, how: string): void {
  if (how === 'remove') fields.remove('x-api-key')
  else if (how === 'set') fields.set('accept', 'text/plain')
  else if (how === 'append') fields.append('via', 'somebody')
  else if (how === 'rename') fields.rename('accept', 'x-accept')
}

describe('the heads of a connection', () => {
  test('say the same whether or not their fields are those of the head before, and whatever became of that', () => {
    const rows = fc.array(fc.tuple(section, fc.array(fc.tuple(requestLine, change, fc.nat(3)), { maxLength: 5 })))
    fc.assert(
      fc.property(rows, (given) => {
        const reader = new HeadReader()
        const heads = given.flatMap(([fields, row]) => row.map((each) => [fields, ...each] as const))
        for (const [fields, line, how, before] of heads) {
          const text = `${'#'.repeat(before)}${line}${fields}next`
          const bytes = Buffer.from(text, 'latin1')
          const anew = new HeadReader()
          const expected = anew.read(Buffer.from(text, 'latin1'), before, bytes.length, limits)
          const head = reader.read(bytes, before, bytes.length, limits)
          expect(toPlain(head)).toEqual(toPlain(expected))
          if (head === undefined || head instanceof Problem) break
          expect(reader.end).toBe(anew.end)
          alter(head, how)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('are found again when one comes in pieces between two that are whole', () => {
    const reader = new HeadReader()
    const text = 'GET /a HTTP/1.1\r\nHost: a.example\r\nX-A: 1\r\n\r\n'
    const read = (whole: string, end = whole.length): unknown =>
      toPlain(reader.read(Buffer.from(whole, 'latin1'), 0, end, limits))
    const expected = toPlain(parseRequestHead(Buffer.from(text), 0, text.length, limits))
    for (let round = 0; round < 3; round++) {
      for (const cut of [1, 17, 30, text.length - 1]) expect(read(text, cut)).toBeUndefined()
      expect(read(text)).toEqual(expected)
      expect(read(text)).toEqual(expected)
    }
  })

  test('obey a limit that was lowered since the one before', () => {
    const reader = new HeadReader()
    const bytes = (): Buffer => Buffer.from('GET / HTTP/1.1\r\nHost: a.example\r\nA: 1\r\nB: 2\r\n\r\n')
    for (let i = 0; i < 4; i++) reader.read(bytes(), 0, bytes().length, limits)
    const refused = reader.read(bytes(), 0, bytes().length, { ...limits, maxFields: 2 })
    expect(refused).toBeInstanceOf(Problem)
  })

  test('are not parsed again when only the target differs', () => {
    const reader = new HeadReader()
    const values = ['/a', '/b?c', '/d'].map((target) => {
      const bytes = Buffer.from(`GET ${target} HTTP/1.1\r\nHost: a.example\r\nX-A: 1\r\n\r\n`)
      const head = reader.read(bytes, 0, bytes.length, limits)
      return head === undefined || head instanceof Problem ? undefined : head.fields.values
    })
    expect(values[1]).not.toBe(values[0])
    expect(values[2]).toBe(values[1])
  })
})

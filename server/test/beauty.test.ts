import { describe, expect, test } from 'vitest'
import {
  countCommentLines,
  findAny,
  findKindMentions,
  measureBeauty,
  percentile,
  toLines,
} from '../../scripts/beauty.ts'

describe('the beauty budget', () => {
  for (const { rule, actual, budget, kept, places } of measureBeauty()) {
    test(`${rule} stays within ${budget}`, () => {
      expect(kept, `${actual}, at ${places.join(', ') || 'no single place'}`).toBe(true)
    })
  }
})

describe('the measures of the beauty budget', () => {
  test('a percentile is the nearest rank', () => {
    expect([0.5, 0.9, 1].map((share) => percentile([5, 1, 4, 2, 3], share))).toEqual([3, 5, 5])
  })

  test('comments count alone, in blocks and behind code, and addresses do not', () => {
    const text = "// one\n/**\n * three\n */\nconst a = 1 // five\nconst url = 'http://a'\n"
    expect(countCommentLines(toLines(text))).toBe(5)
  })

  test('any is found as a type and not as a word', () => {
    const lines = [
      'let a: any',
      'const b = c as any',
      "'b: any'",
      '// d: any',
      'Promise.any(e)',
      'f<any>()',
      'type: anyOf',
    ]
    expect(findAny({ path: 'x.ts', lines })).toEqual(['x.ts:1', 'x.ts:2', 'x.ts:6'])
  })

  test('a kind is found outside its folder, and its everyday homonym is not', () => {
    const lines = [
      "if (entry.kind === 'access') {}",
      "socket.on('access', f)",
      "import { access } from './access/access.ts'",
    ]
    expect(findKindMentions('access', [{ path: 'gateway/a.ts', lines }])).toEqual(['gateway/a.ts:1', 'gateway/a.ts:3'])
    expect(findKindMentions('access', [{ path: 'policies/access/access.ts', lines }])).toEqual([])
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileFiles, documentWith } from '../../test/test-config.ts'
import { toCanonicalJson, toContentHash } from './canonical-json.ts'

/** The same content with the keys of every object in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toReversed()
  return Object.fromEntries(entries.map(([key, inner]) => [key, reversed(inner)]))
}

describe('canonical JSON', () => {
  test('says the same value whatever the order of keys is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(toCanonicalJson(reversed(value))).toBe(toCanonicalJson(value))
        expect(JSON.parse(toCanonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  test('leaves out what is undefined, as JSON does', () => {
    expect(toCanonicalJson({ b: undefined, a: [undefined, 1] })).toBe('{"a":[null,1]}')
    expect(toContentHash({ a: 1, b: undefined })).toBe(toContentHash({ a: 1 }))
  })
})

describe('the version of a snapshot', () => {
  const version = (text: string): string => compileFiles({ 'a.yaml': text }).snapshot.version

  test('stays when only the writing changes, and changes with the content', () => {
    const base = version(documentWith('consumers: [{ name: acme, roles: [a] }]'))
    expect(base).toMatch(/^[0-9a-f]{64}$/)
    expect(version(documentWith('# a comment\nconsumers:\n  - roles: ["a"]\n    name: acme'))).toBe(base)
    expect(version(documentWith('consumers: [{ name: acme, roles: [b] }]'))).not.toBe(base)
  })
})

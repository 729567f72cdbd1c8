import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { stringify, parse } from 'yaml'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { compileFiles, documentWith, findIssues } from '../../test/test-config.ts'
import { definePolicy } from '../kernel/policy.ts'

const golden = join(import.meta.dirname, '../../test/golden/config/accepted/everything.yaml')
const everything: unknown = parse(readFileSync(golden, 'utf8'))

/** Paths to every value of a document. */
function pathsOf(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path]
  const inner = Object.entries(value).flatMap(([key, each]) =>
    pathsOf(each, [...path, Array.isArray(value) ? Number(key) : key]),
  )
  return [path, ...inner]
}

function replaced(value: unknown, [key, ...rest]: readonly (string | number)[], by: unknown): unknown {
  if (key === undefined) return by
  const copy: unknown = structuredClone(value)
  if (typeof copy !== 'object' || copy === null) return copy
  Reflect.set(copy, key, replaced(Reflect.get(copy, key), rest, by))
  return copy
}

test('whatever stands anywhere in a document, it is compiled or refused with places, and never breaks the compiler', () => {
  const strange = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(
      '',
      '/',
      '/*',
      '${A}',
      '${',
      'file:',
      'file:.',
      '__proto__',
      'constructor',
      '\0',
      'é',
      '{}',
      '*',
      -1,
      1e300,
      null,
    ),
  )
  const path = fc.constantFrom(...pathsOf(everything).slice(1))
  fc.assert(
    fc.property(path, strange, (at, value) => {
      const text = stringify(replaced(everything, at, value), { aliasDuplicateObjects: false })
      for (const issue of findIssues({ 'a.yaml': text }, { environment: { A: 'a' } })) {
        expect(issue).toMatch(/^a\.yaml:\d+:\d+: /)
      }
    }),
    { numRuns: 100 },
  )
})

test('a document that is only the version is right: a gateway that serves nothing yet', () => {
  expect(findIssues({ 'a.yaml': 'headgate: 1' })).toEqual([])
})

test('everything that is wrong is told, up to a hundred findings', () => {
  const routes = Array.from({ length: 150 }, (_, index) => `  - { name: c${index}, no${index}: 1 }`)
  expect(findIssues({ 'a.yaml': documentWith(`consumers:\n${routes.join('\n')}`) })).toHaveLength(100)
})

test('a union tells what is wrong with the way that was meant', () => {
  const config = z.strictObject({
    at: z.union([
      z.string(),
      z.strictObject({ header: z.string(), scheme: z.string().optional() }),
      z.strictObject({ query: z.int() }),
    ]),
  })
  const union = definePolicy({
    kind: 'union',
    title: 'Union',
    summary: 'For a test.',
    stability: 'preview',
    examples: [],
    problems: [],
    config,
    setup: () => ({}),
  })
  const find = (at: string): string[] =>
    findIssues(
      { 'a.yaml': documentWith(`policies: [{ kind: union, config: { at: ${at} } }]`) },
      { policies: [union] },
    ).map((issue) => issue.replace(/^.*config\./, ''))
  expect(find('{ header: x, schem: y }')).toEqual(['at.schem: this key is not known. Did you mean `scheme`?'])
  expect(find('{ query: x }')).toEqual(['at.query: must be a number, not text.'])
  expect(find('[]')).toEqual(['at: must be text or a map of keys.'])
  expect(find('~')).toEqual(['at: must be text or a map of keys.'])
})

test('the watched paths are those of every file that was read', () => {
  const spec = 'openapi: 3.1.0\npaths: { /x: { $ref: "parts/x.yaml" } }'
  const text = documentWith('gateway: { debugKey: "file:secrets/key" }').replace(
    'routes: [{ name: all, match: { path: "/*" } }]',
    'spec: spec.yaml',
  )
  const files = { 'a.yaml': text, 'spec.yaml': spec, 'parts/x.yaml': 'get: {}', 'secrets/key': 'a-key-of-good-length' }
  const watched = [...compileFiles(files).watched.keys()]
  const folder = watched.find((path) => path.endsWith('a.yaml'))?.slice(0, -'/a.yaml'.length) ?? ''
  const inside = watched.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length))
  expect(inside.toSorted()).toEqual(['/a.yaml', '/parts/x.yaml', '/secrets/key', '/spec.yaml'])
})

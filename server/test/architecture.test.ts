import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'

/** What each area may import besides itself; the direction never turns round. */
const allowed: Record<string, readonly string[]> = {
  bin: ['gateway', 'control', 'insight', 'config', 'policies', 'kernel'],
  gateway: ['config', 'policies', 'kernel'],
  control: ['config', 'policies', 'db', 'ai', 'kernel'],
  insight: ['config', 'policies', 'kernel'],
  config: ['policies', 'kernel'],
  policies: ['kernel'],
  db: ['kernel'],
  ai: ['kernel'],
  kernel: [],
}
const kernelPackages = ['zod', '@marcbachmann/cel-js', 're2js', 'pino']
const root = join(import.meta.dirname, '../src')
const files = globSync('**/*.ts', { cwd: root }).filter((path) => !path.endsWith('.test.ts'))
const sources = files.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
/** `from '…'`, `import('…')`, `import '…'`, and packages that are loaded when they are needed. */
const IMPORT =
  /^(?:import|export)[^'"]*?from '([^']+)'|\bimport\('([^']+)'\)|^import '([^']+)'|\bloadWhenNeeded(?:<[^(]*>)?\('([^']+)'\)/gm
const imports = sources.flatMap(({ path, text }) =>
  [...text.matchAll(IMPORT)].map((match) => {
    const target = match.slice(1).find((name) => name !== undefined) ?? ''
    return {
      path,
      target: target.startsWith('.') ? relative(root, join(root, dirname(path), target)) : target,
      own: target.startsWith('.'),
    }
  }),
)
const areaOf = (path: string): string => path.split('/')[0] ?? ''
const folderOf = (path: string): string => path.split('/').slice(0, 2).join('/')

test('imports go from bin through gateway, config and policies to the kernel, and never back', () => {
  const wrong = imports.filter(
    ({ path, target, own }) =>
      own && areaOf(path) !== areaOf(target) && !allowed[areaOf(path)]?.includes(areaOf(target)),
  )
  expect(wrong.map(({ path, target }) => `${path} imports ${target}`)).toEqual([])
})

test('the kernel uses Node, zod, CEL, RE2 and the log library only', () => {
  const foreign = imports.filter(
    ({ path, target, own }) => areaOf(path) === 'kernel' && !own && !target.startsWith('node:'),
  )
  expect(
    foreign
      .filter(({ target }) => !kernelPackages.includes(target))
      .map(({ path, target }) => `${path} imports ${target}`),
  ).toEqual([])
})

test('a policy knows no other policy; only the list knows them all', () => {
  const inPolicies = imports.filter(
    ({ path, own }) => own && areaOf(path) === 'policies' && path !== 'policies/index.ts',
  )
  const wrong = inPolicies.filter(
    ({ path, target }) => areaOf(target) === 'policies' && folderOf(path) !== folderOf(target),
  )
  expect(wrong.map(({ path, target }) => `${path} imports ${target}`)).toEqual([])
})

test('only bin reads the environment', () => {
  const readers = sources.filter(({ path, text }) => areaOf(path) !== 'bin' && /\bprocess\.env\b/.test(text))
  expect(readers.map(({ path }) => path)).toEqual([])
})

test('a thing lives with the noun that it serves, at most four levels deep, in a kebab-case file', () => {
  const vague = /^(utils|helpers|common|shared|core|lib|services|managers|types)$/
  const misplaced = files.filter(
    (path) => path.split('/').length > 4 || path.split('/').some((part) => vague.test(part)),
  )
  expect([...misplaced, ...files.filter((path) => !/^[a-z0-9./-]+$/.test(path))]).toEqual([])
})

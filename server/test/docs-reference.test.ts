import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findDifferences, generateAll } from '../../scripts/generate.ts'
import { collectProblems, findDeclaredCodes } from '../../scripts/generate/collect-problems.ts'
import { describeKeys } from '../../scripts/generate/describe-schema.ts'
import { toConfigSchema } from '../../scripts/generate/policy-reference.ts'
import { policies } from '../src/policies/index.ts'

const folder = join(import.meta.dirname, '../src/policies')

describe('the reference', () => {
  test('is what the registries generate, and nothing is left over', async () => {
    expect(findDifferences(await generateAll())).toEqual([])
  })

  test('has each problem code that the sources declare, and no other', async () => {
    const documented = (await collectProblems()).map(({ definition }) => definition.code)
    expect(documented).toEqual(findDeclaredCodes())
    expect(documented.filter((code) => !/^[a-z0-9_]+(\.[a-z0-9_]+)+$/.test(code))).toEqual([])
  })

  test('has each policy folder, listed under the name of its folder', () => {
    const folders = globSync('*/', { cwd: folder }).map((path) => path.replace(/\/$/, ''))
    expect(policies.map(({ kind }) => kind).toSorted()).toEqual(folders.toSorted())
  })
})

describe.each(policies.map((policy) => ({ kind: policy.kind, policy })))('the policy $kind', ({ kind, policy }) => {
  test('has its code, its tests and its page', () => {
    const files = ['.ts', '.test.ts', '.md'].map((ending) => join(folder, kind, kind + ending))
    expect(files.filter((file) => !existsSync(file))).toEqual([])
  })

  test('says of each key what it is', () => {
    expect(
      describeKeys(toConfigSchema(policy))
        .filter(({ meaning }) => meaning === '')
        .map(({ key }) => key),
    ).toEqual([])
  })

  test('has examples that its own schema accepts', () => {
    expect(policy.examples.length).toBeGreaterThan(0)
    for (const { title, config } of policy.examples)
      expect(policy.config.safeParse(config).error, title).toBeUndefined()
  })
})

import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compileConfig } from '../../../src/config/compile.ts'
import { policies as allPolicies } from '../../../src/policies/index.ts'
import { findIssues } from '../../test-config.ts'

const folder = import.meta.dirname
/** Messages list what is known, so a new policy would change them all. */
const kinds = ['key-auth', 'access', 'request-size', 'respond', 'rate-limit']
const policies = allPolicies.filter(({ kind }) => kinds.includes(kind))
const listCases = (kind: string): string[] => globSync(`${kind}/*.yaml`, { cwd: folder }).toSorted()

describe('a configuration that is wrong is told so, word by word', () => {
  test.each(listCases('refused'))('%s', async (file) => {
    const issues = findIssues({ [basename(file)]: readFileSync(join(folder, file), 'utf8') }, { policies })
    await expect(`${issues.join('\n')}\n`).toMatchFileSnapshot(join(folder, file.replace('.yaml', '.txt')))
  })
})

describe('a configuration that is right becomes the same snapshot as ever', () => {
  test.each(listCases('accepted'))('%s', async (file) => {
    const { snapshot } = compileConfig(join(folder, file), {}, policies)
    const text = JSON.stringify({ ...snapshot, version: 'content hash' }, undefined, 2)
    await expect(`${text}\n`).toMatchFileSnapshot(join(folder, file.replace('.yaml', '.json')))
  })
})

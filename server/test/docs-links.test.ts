import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readAnchors, readLinks, readPages, repository } from './docs-files.ts'

/** Links of a page that lead to no file, or to no heading of one. Links to other sites are not followed. */
function findBrokenLinks(path: string, text: string): string[] {
  return readLinks(text)
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? join(repository, path) : join(repository, dirname(path), file)
      if (!existsSync(target)) return true
      return anchor !== undefined && !readAnchors(readFileSync(target, 'utf8')).includes(anchor)
    })
}

describe('links of the docs', () => {
  const pages = readPages()

  test('lead to files and headings that exist', () => {
    expect(pages.length).toBeGreaterThan(10)
    expect(pages.flatMap(({ path, text }) => findBrokenLinks(path, text).map((link) => `${path}: ${link}`))).toEqual([])
  })

  test('are noticed when they are broken', () => {
    const text = '[a](README.md) [b](no-such.md) [c](README.md#no-such-heading) `[d](in-code.md)`'
    expect(findBrokenLinks('CONTRIBUTING.md', text)).toEqual(['no-such.md', 'README.md#no-such-heading'])
  })

  test('the pages at the root stay within 150 lines, a decision within 60', () => {
    const limits = pages.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    const long = limits.filter(({ path, lines }) => {
      if (path.startsWith('docs/decisions/0')) return lines > 60
      return !path.includes('/') && path !== 'CHANGELOG.md' && lines > 150
    })
    expect(long).toEqual([])
  })
})

// The hand-written and generated pages of the repository, for the tests that keep them true.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const repository = join(import.meta.dirname, '../..')

export interface Page {
  /** From the root of the repository. */
  readonly path: string
  readonly text: string
}

export function readPages(): Page[] {
  const patterns = ['*.md', 'docs/**/*.md', 'server/*.md', 'server/src/**/*.md', 'bench/*.md', 'examples/**/*.md']
  const paths = globSync(patterns, { cwd: repository, exclude: (name) => name === 'node_modules' || name === 'dist' })
  return paths.toSorted().map((path) => ({ path, text: readFileSync(join(repository, path), 'utf8') }))
}

export interface Block {
  readonly path: string
  readonly line: number
  /** What stands behind the fence, such as `yaml` or `sh tested`. */
  readonly mark: string
  readonly text: string
}

/** Fenced code blocks of a page. */
export function readBlocks({ path, text }: Page): Block[] {
  return [...text.matchAll(/^```([^\n`]*)\n([\s\S]*?)^```/gm)].map((match) => ({
    path,
    line: text.slice(0, match.index).split('\n').length,
    mark: (match[1] ?? '').trim(),
    text: match[2] ?? '',
  }))
}

/** The anchor that a heading gets (as GitHub makes them). */
function toAnchor(heading: string): string {
  const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*_]/g, '')
  return words
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-')
}

export function readAnchors(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '')
  return [...prose.matchAll(/^#{1,6} (.*)$/gm)].map((match) => toAnchor(match[1] ?? ''))
}

/** Targets of a page's links, without those inside code. */
export function readLinks(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '')
}

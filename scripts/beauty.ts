// The beauty budget: sizes, the walk of a request, one touch per extension, no `any`, enough comments and not too many.
// `npm run beauty` prints it and fails when it is broken; server/test/beauty.test.ts keeps it in every test run.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const sourceRoot = join(import.meta.dirname, '../server/src')

/** The files that somebody opens, in this order, to follow one proxied request. */
const walk = [
  'bin/gateway.ts',
  'gateway/server.ts',
  'gateway/http1/parse.ts',
  'kernel/exchange.ts',
  'gateway/router.ts',
  'gateway/pipeline.ts',
  'policies/rate-limit/rate-limit.ts',
  'gateway/upstream/upstream.ts',
  'gateway/respond.ts',
  'kernel/problem.ts',
  'gateway/record.ts',
]

export interface SourceFile {
  readonly path: string
  readonly lines: readonly string[]
}

export interface Finding {
  readonly rule: string
  readonly actual: string
  readonly budget: string
  readonly kept: boolean
  /** Where it is broken, or the largest ones, worst first. */
  readonly places: readonly string[]
}

export function readSources(): SourceFile[] {
  const paths = globSync('**/*.ts', { cwd: sourceRoot }).filter((path) => !path.endsWith('.test.ts'))
  return paths.toSorted().map((path) => ({ path, lines: toLines(readFileSync(join(sourceRoot, path), 'utf8')) }))
}

export function toLines(text: string): string[] {
  return text.replace(/\n$/, '').split('\n')
}

/** The value below which a share of the values lies (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
}

/** How many of the lines hold a comment, alone or behind code. */
export function countCommentLines(lines: readonly string[]): number {
  let inBlock = false
  let count = 0
  for (const line of lines) {
    const text = line.trim()
    const isComment = inBlock || /^\/[/*]/.test(text) || /[^:'"`]\s\/\/ /.test(text)
    if (isComment) count++
    if (text.startsWith('/*')) inBlock = true
    if (inBlock && text.endsWith('*/')) inBlock = false
  }
  return count
}

/** Lines that use the type `any`, in code and not in a comment or a text. */
export function findAny(file: SourceFile): string[] {
  return file.lines.flatMap((line, index) => {
    const code = line.replaceAll(/'[^']*'|"[^"]*"|`[^`]*`/g, "''").replace(/^\s*(\/\*|\*|\/\/).*|\s\/\/ .*/, '')
    return /[:<|&,(]\s*any\b(?!\w|:)|\bas any\b|\bany\[\]/.test(code) ? [`${file.path}:${index + 1}`] : []
  })
}

/** Lines outside a policy's own folder and the list of policies that name the policy's kind. */
export function findKindMentions(kind: string, files: readonly SourceFile[]): string[] {
  // A kind that is also an everyday word ('headers', 'access') counts only where it stands as a kind.
  // Backticks quote it for a reader, in a hint or a description.
  const quoted = `['"]${kind}['"]`
  const pattern = new RegExp(
    `\\bkind\\b[^,;]*${quoted}|case ${quoted}|/${kind}/${kind}\\.ts${kind.includes('-') ? `|${quoted}` : ''}`,
  )
  return files.flatMap((file) => {
    if (file.path === join('policies', 'index.ts') || file.path.startsWith(join('policies', kind, '/'))) return []
    // A policy that is made of others can only be shown with some.
    if (file.path.endsWith('/examples.ts')) return []
    const isComment = (line: string): boolean => /^\s*(\/\/|\/?\*)/.test(line)
    return file.lines.flatMap((line, index) =>
      !isComment(line) && pattern.test(line) ? [`${file.path}:${index + 1}`] : [],
    )
  })
}

function measureSizes(files: readonly SourceFile[]): Finding[] {
  const sizes = files.map((file) => file.lines.length)
  const largest = files.toSorted((a, b) => b.lines.length - a.lines.length)
  const places = largest.slice(0, 5).map((file) => `${file.path} (${file.lines.length})`)
  const [median, p90, max] = [percentile(sizes, 0.5), percentile(sizes, 0.9), percentile(sizes, 1)]
  return [
    { rule: 'lines per file, median', actual: `${median}`, budget: '≤ 80', kept: median <= 80, places: [] },
    { rule: 'lines per file, p90', actual: `${p90}`, budget: '≤ 220', kept: p90 <= 220, places: [] },
    { rule: 'lines per file, largest', actual: `${max}`, budget: '≤ 400', kept: max <= 400, places },
  ]
}

function measureWalk(files: readonly SourceFile[]): Finding[] {
  const missing = walk.filter((path) => !files.some((file) => file.path === path))
  const steps = files.filter((file) => walk.includes(file.path))
  const lines = steps.reduce((sum, file) => sum + file.lines.length, 0)
  const places = steps
    .toSorted((a, b) => b.lines.length - a.lines.length)
    .map((file) => `${file.path} (${file.lines.length})`)
  const absent = missing.map((path) => `${path} is missing`)
  return [
    {
      rule: 'files to follow a request',
      actual: `${walk.length}`,
      budget: '≤ 11',
      kept: walk.length <= 11 && absent.length === 0,
      places: absent,
    },
    {
      rule: 'lines to follow a request',
      actual: `${lines}`,
      budget: '≤ 1500',
      kept: lines <= 1500,
      places: places.slice(0, 5),
    },
  ]
}

function measureMentions(files: readonly SourceFile[]): Finding {
  // A policy's folder is named after its kind; a test of the docs keeps it so.
  const folders = files
    .map((file) => file.path.split('/'))
    .filter((parts) => parts[0] === 'policies' && parts.length > 2)
  const kinds = [...new Set(folders.map((parts) => parts[1] ?? ''))]
  const places = kinds.flatMap((kind) => findKindMentions(kind, files).map((place) => `${place} names ${kind}`))
  return {
    rule: 'places outside its folder that name a policy',
    actual: `${places.length}`,
    budget: '0',
    kept: places.length === 0,
    places,
  }
}

function measureText(files: readonly SourceFile[]): Finding[] {
  const anyPlaces = files.flatMap(findAny)
  const lineCount = files.reduce((sum, file) => sum + file.lines.length, 0)
  const commentCount = files.reduce((sum, file) => sum + countCommentLines(file.lines), 0)
  const share = (100 * commentCount) / Math.max(1, lineCount)
  return [
    {
      rule: 'uses of `any`',
      actual: `${anyPlaces.length}`,
      budget: '0',
      kept: anyPlaces.length === 0,
      places: anyPlaces,
    },
    {
      rule: 'lines with a comment',
      actual: `${share.toFixed(1)} %`,
      budget: '8–15 %',
      kept: share >= 8 && share <= 15,
      places: [],
    },
  ]
}

export function measureBeauty(files: readonly SourceFile[] = readSources()): Finding[] {
  return [...measureSizes(files), ...measureWalk(files), measureMentions(files), ...measureText(files)]
}

export function toReport(findings: readonly Finding[]): string {
  return findings
    .map(({ rule, actual, budget, kept, places }) => {
      const head = `${kept ? '✓' : '✗'} ${rule.padEnd(46)} ${actual.padStart(8)}   budget ${budget}`
      return [head, ...places.map((place) => `      ${place}`)].join('\n')
    })
    .join('\n')
}

if (import.meta.main) {
  const findings = measureBeauty()
  console.log(toReport(findings))
  if (findings.some((finding) => !finding.kept)) process.exitCode = 1
}

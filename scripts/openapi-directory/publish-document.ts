// One document from its text to routes that are found.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { compilePart } from '../../server/src/config/compile-part.ts'
import { ConfigError, toIssueLine } from '../../server/src/config/issues.ts'
import { importDocument } from '../../server/src/config/openapi/import-document.ts'
import type { ImportFinding } from '../../server/src/config/openapi/import-findings.ts'
import { reviewDocument } from '../../server/src/control/documents/review-document.ts'
import type { SnapshotContent } from '../../server/src/kernel/snapshot.ts'
import { policies } from '../../server/src/policies/index.ts'
import { findUnreached } from './find-unreached.ts'

export type DocumentResult = { readonly path: string; readonly ms: number } & (
  | {
      readonly kind: 'published'
      readonly routes: number
      readonly bytes: number
      readonly snapshotBytes: number
      readonly mended: readonly string[]
    }
  | { readonly kind: 'refused'; readonly finding: ImportFinding; readonly operations: number }
  | { readonly kind: 'differs'; readonly detail: string }
  | { readonly kind: 'crashed'; readonly detail: string }
)

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

export async function publishDocument(folder: string, path: string): Promise<DocumentResult> {
  const file = join(folder, path)
  const bytes = readFileSync(file)
  const start = performance.now()
  try {
    const result = await importDocument(bytes, { source: pathToFileURL(file) })
    const operations = countOperations(JSON.parse(bytes.toString('utf8')))
    if (result.kind === 'refused') {
      const [finding] = result.findings
      const ms = performance.now() - start
      return finding === undefined
        ? { path, ms, kind: 'crashed', detail: 'refused without a reason' }
        : { path, ms, kind: 'refused', finding, operations }
    }
    const text = JSON.stringify(result.document)
    const texts = new Map([['openapi.json', text]])
    const api = { name: 'api', upstream: 'upstream', spec: 'openapi.json' }
    const compile = (kind: string): SnapshotContent =>
      compilePart({ headgate: 1, apis: [{ ...api, policies: [{ kind }] }] }, texts, policies)
    reviewDocument({ text, before: undefined, ruleset: undefined })
    const { routes } = compile('key-auth')
    const ms = performance.now() - start
    const mocked = compile('mock')
    if (routes.length !== operations)
      return { path, ms, kind: 'differs', detail: `${routes.length} routes of ${operations} operations` }
    const unreached = findUnreached(routes)
    if (unreached !== undefined) return { path, ms, kind: 'differs', detail: unreached }
    return {
      path,
      ms,
      kind: 'published',
      routes: routes.length,
      bytes: bytes.length,
      snapshotBytes: JSON.stringify(mocked).length,
      mended: result.findings.map(({ rule }) => rule),
    }
  } catch (error) {
    const [issue] = error instanceof ConfigError ? error.issues : []
    return {
      path,
      ms: performance.now() - start,
      kind: issue === undefined ? 'crashed' : 'differs',
      detail: issue === undefined ? String(error) : toIssueLine(issue),
    }
  }
}

/** Counted without any of the code that is tried here. */
function countOperations(document: Tree): number {
  const paths = Object.entries((document['paths'] ?? {}) as Tree).filter(([path]) => !path.startsWith('x-'))
  return paths.reduce(
    (sum, [, item]) => sum + METHODS.filter((method) => isTree(follow(document, item)[method])).length,
    0,
  )
}

type Tree = Record<string, unknown>

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null
}

function follow(document: Tree, item: unknown): Tree {
  const reference = isTree(item) ? item['$ref'] : undefined
  if (typeof reference !== 'string') return isTree(item) ? item : {}
  const tokens = reference
    .slice(2)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
  const target = tokens.reduce<unknown>((at, token) => (isTree(at) ? at[token] : undefined), document)
  return isTree(target) ? target : {}
}

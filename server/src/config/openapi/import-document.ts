/**
 * Brings a document of anybody into the form that Headgate keeps: one file of OpenAPI 3, read within bounds, Swagger 2.0
 * upgraded, references to other files bundled, small faults mended, and such that every operation becomes a route. What
 * refuses it is told with rule, pointer and remedy. It is made to run in a process of its own: a document can have megabytes.
 */
import type { JsonObject } from '../../kernel/json.ts'
import { findRivals } from '../check-routes.ts'
import { runAtOnce } from '../steps.ts'
import { toMatchedPath } from '../route-path.ts'
import { bundle } from './bundle.ts'
import { routingRules } from './document-rules.ts'
import type { FetchFile } from './fetch-file.ts'
import { visitParts } from './grammar.ts'
import { ImportFiles } from './import-files.ts'
import { ImportFindings, type ImportFinding } from './import-findings.ts'
import { defaultImportLimits, type ImportLimits } from './import-limits.ts'
import { operationRules, referenceRules } from './import-rules.ts'
import { isTree, toTree, type Tree } from './json-tree.ts'
import { listOperations, toOperationPointer, type DocumentView, type ListedOperation } from './list-operations.ts'
import { mendDocument } from './mend-document.ts'
import { followReference, ReferenceFault, type SpecFile } from './spec-files.ts'
import { upgradeSwagger } from './swagger/upgrade-swagger.ts'

export type DocumentVersion = '2.0' | '3.0' | '3.1'

export interface ImportOptions {
  /** Address of the document, `https:` or `file:`; its references are relative to it. */
  readonly source: URL
  /** Without it, references to other files are refused. */
  readonly fetch?: FetchFile | undefined
  /** Hosts besides that of the document from which files may be fetched. */
  readonly hosts?: readonly string[]
  readonly limits?: Partial<ImportLimits>
}

export interface ImportedOperation {
  readonly name: string
  readonly method: string
  readonly path: string
}

export type ImportResult =
  | {
      readonly kind: 'imported'
      readonly document: JsonObject
      /** The version that it was written in. */
      readonly version: DocumentVersion
      /** Nothing was upgraded, bundled or mended. */
      readonly isAsWritten: boolean
      readonly operations: readonly ImportedOperation[]
      readonly findings: readonly ImportFinding[]
    }
  | { readonly kind: 'refused'; readonly findings: readonly ImportFinding[] }

export async function importDocument(input: string | Uint8Array, options: ImportOptions): Promise<ImportResult> {
  const limits = { ...defaultImportLimits, ...options.limits }
  const findings = new ImportFindings(limits.findings)
  const { source, fetch, hosts = [] } = options
  const files = new ImportFiles({ source, fetch, hosts, limits }, findings, Date.now())
  const root = files.read(source, input)
  const version = root === undefined ? undefined : readVersion(root, findings)
  if (root === undefined || version === undefined) return { kind: 'refused', findings: findings.list() }

  const bundled = await bundleFiles(root, files, findings)
  if (findings.isRefused) return { kind: 'refused', findings: findings.list() }
  const document = version === '2.0' ? upgradeSwagger(bundled) : bundled
  const operations = checkDocument({ source: root.source, value: document }, findings)
  if (findings.isRefused) return { kind: 'refused', findings: findings.list() }
  const list = findings.list()
  const isAsWritten = document === root.value && !list.some(({ outcome }) => outcome === 'mended')
  // It was read as JSON, or as YAML that says nothing more, and nothing else was put into it.
  return { kind: 'imported', document: document as JsonObject, version, isAsWritten, operations, findings: list }
}

function readVersion({ source, value }: SpecFile, findings: ImportFindings): DocumentVersion | undefined {
  const { openapi, swagger } = toTree(value)
  const version = typeof openapi === 'string' ? /^(3\.[01])\.\d/.exec(openapi)?.[1] : undefined
  if (version === '3.0' || version === '3.1') return version
  if (openapi === undefined && (swagger === '2.0' || swagger === 2)) return '2.0'
  const isNone = openapi === undefined && swagger === undefined
  const message = isNone ? 'this is not an OpenAPI document' : 'this version of OpenAPI is not known'
  findings.refuse(routingRules.version, source.file, message, [
    openapi === undefined && !isNone ? 'swagger' : 'openapi',
  ])
  return undefined
}

/** Bundles again until nothing is missing: each time, files that were fetched may lead to others. */
async function bundleFiles(root: SpecFile, files: ImportFiles, findings: ImportFindings): Promise<Tree> {
  // Most documents are one file, and a copy of one of many megabytes takes its time.
  if (!refersElsewhere(root.value)) return toTree(root.value)
  for (;;) {
    const faults = new Map<string, () => void>()
    const bundled = bundle({
      root,
      open: (address, from) => files.open(address, from),
      peek: (address, from) => files.peek(address, from),
      report(fault, reference, { source, value }) {
        const { message, hint: remedy, rule = referenceRules.unavailable } = fault
        const report = (): void =>
          findings.add({ rule, pointer: findReference(value, reference), message, remedy }, source.file)
        faults.set(`${source.file} ${reference}`, report)
      },
    })
    if (!files.isIncomplete) {
      // A file that cannot be had was reported when it was fetched; that references lead to it is no news.
      if (!findings.isRefused) for (const report of faults.values()) report()
      return bundled
    }
    await files.fetchMissing()
  }
}

function refersElsewhere(document: unknown): boolean {
  let isElsewhere = false
  visitParts(document, 'document', (value) => {
    const reference = toTree(value)['$ref']
    if (typeof reference === 'string' && !reference.startsWith('#')) isElsewhere = true
  })
  return isElsewhere
}

/** Where a reference stands first. */
function findReference(root: unknown, reference: string): (string | number)[] {
  const open: { value: unknown; path: (string | number)[] }[] = [{ value: root, path: [] }]
  for (let at = open.shift(); at !== undefined; at = open.shift()) {
    const { value, path } = at
    if (typeof value !== 'object' || value === null) continue
    if (isTree(value) && value['$ref'] === reference) return [...path, '$ref']
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner === 'object')
        open.push({ value: inner, path: [...path, Array.isArray(value) ? Number(key) : key] })
    }
  }
  return []
}

function checkDocument(root: SpecFile, findings: ImportFindings): ImportedOperation[] {
  const { file } = root.source
  mendDocument(root.value, (breach) => findings.add(breach, file))
  const view: DocumentView = {
    root,
    references: { follow: (reference, from) => followReference(reference, from, () => root) },
    report: (breach) => findings.add(breach, file),
  }
  const operations = listOperations(view)
  if (operations.length === 0 && !findings.isRefused) {
    findings.refuse(operationRules.none, file, 'the document has no operations', ['paths'])
  }
  checkRoutes(operations, file, findings)
  noteDangling(root, findings)
  return operations.map(({ name, method, template }) => ({ name, method, path: template.path }))
}

function checkRoutes(operations: readonly ListedOperation[], file: string, findings: ImportFindings): void {
  const routes = operations.flatMap((operation) => {
    const { template, conditions, method } = operation
    const path = toMatchedPath(template.path, 'refuse')
    if (typeof path !== 'string') {
      const pointer = toOperationPointer(operation)
      findings.add({ rule: operationRules.unmatched, pointer, message: path.message, remedy: path.hint }, file)
      return []
    }
    const match = {
      hosts: [],
      path,
      basePath: '',
      methods: [method],
      ...conditions,
      when: undefined,
      encodedSlash: 'refuse' as const,
    }
    return [{ operation, match }]
  })
  const steps = findRivals(routes, ({ operation, match }, rival) => {
    const message = `a request for ${operation.method} ${match.path} fits the operation ${JSON.stringify(rival.operation.name)} equally well`
    findings.add({ rule: operationRules.ambiguous, pointer: toOperationPointer(operation), message }, file)
  })
  runAtOnce(steps)
}

function noteDangling(root: SpecFile, findings: ImportFindings): void {
  const known = new Set<string>()
  visitParts(root.value, 'document', (value, _, path) => {
    const reference = isTree(value) ? value['$ref'] : undefined
    if (typeof reference !== 'string' || known.has(reference)) return
    known.add(reference)
    try {
      followReference(reference, root, () => root)
    } catch (error) {
      if (!(error instanceof ReferenceFault)) throw error
      const breach = {
        rule: referenceRules.dangling,
        pointer: [...path, '$ref'],
        message: error.message,
        remedy: error.hint,
      }
      findings.add(breach, root.source.file)
    }
  })
}

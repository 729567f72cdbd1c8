/** The OpenAPI document of an API in a configuration file to its operations: 3.0 and 3.1 as they are, 2.0 upgraded. */
import { dirname } from 'node:path'
import type { JsonObject } from '../../kernel/json.ts'
import { UnreadableFile, type ConfigReader } from '../file-reader.ts'
import { childOf, type Findings } from '../findings.ts'
import type { KeyPath } from '../issues.ts'
import { routingRules } from './document-rules.ts'
import { toTree } from './json-tree.ts'
import {
  listOperations,
  placeOf,
  toOperationPointer,
  type DocumentView,
  type ListedOperation,
} from './list-operations.ts'
import type { Operation } from './operation.ts'
import { resolveOperation } from './resolve-operation.ts'
import { SharedSchemas } from './shared-schemas.ts'
import { ReferenceFault, SpecFiles, toPointer, type SpecFile } from './spec-files.ts'
import { upgradeSwagger } from './swagger/upgrade-swagger.ts'

type Dialect = '3.0' | '3.1'

/** Reads the document at `path`, which stands under `keyPath` of the configuration; faults are reported. */
export function readOperations(
  path: string,
  keyPath: KeyPath,
  configFolder: string,
  reader: ConfigReader,
  findings: Findings,
): Operation[] {
  const files = new SpecFiles([configFolder, dirname(path)], reader, findings)
  try {
    const file = files.open(path)
    if (file === undefined) return []
    const view = toView(file, files, findings)
    const dialect = dialectOf(view)
    if (dialect === undefined) return []
    const shared = new SharedSchemas(files, dialect)
    return listOperations(view).map((operation) => toOperation(operation, dialect, view, shared))
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error
    const hint = 'The path is relative to the file that names it.'
    const shown = findings.isSubstituted(keyPath) ? 'of this path' : path
    findings.report(keyPath, `the OpenAPI document ${shown} ${error.message}`, { hint })
    return []
  }
}

function toView(file: SpecFile, files: SpecFiles, findings: Findings): DocumentView {
  const isSwagger = /^2(?:\.0)?$/.test(String(childOf(file.value, 'swagger')))
  // Places of messages are found by the values as they were written.
  const root = isSwagger ? { source: file.source, value: upgradeSwagger(toTree(file.value)) } : file
  if (isSwagger) files.replace(file.source.file, root)
  return {
    root,
    references: files,
    report({ rule, pointer, message, remedy, other }, at) {
      const more = { hint: remedy ?? rule.remedy, ...(other === undefined ? {} : { other: other.place() }) }
      findings.list.add(SpecFiles.place(at, pointer, 'key'), toPointer(pointer), message, more)
    },
  }
}

function dialectOf(view: DocumentView): Dialect | undefined {
  const version = childOf(view.root.value, 'openapi') ?? childOf(view.root.value, 'swagger')
  const known = /^3\.([01])\.\d/.exec(String(version))?.[1]
  if (known !== undefined) return known === '0' ? '3.0' : '3.1'
  const message = version === undefined ? 'this is not an OpenAPI document' : 'this version of OpenAPI is not known'
  view.report({ rule: routingRules.version, pointer: ['openapi'], message }, view.root)
  return undefined
}

function toOperation(
  operation: ListedOperation,
  dialect: Dialect,
  view: DocumentView,
  shared: SharedSchemas,
): Operation {
  const { name, method, template, conditions } = operation
  const pointer = toOperationPointer(operation)
  const attempt = (resolve: () => JsonObject): JsonObject | undefined => {
    try {
      return resolve()
    } catch (error) {
      if (!(error instanceof ReferenceFault)) throw error
      const breach = { rule: routingRules.reference, pointer, message: error.message, remedy: error.hint }
      view.report(breach, operation.item.file)
      return undefined
    }
  }
  return {
    name,
    method,
    path: template.path,
    conditions,
    pointer: toPointer(pointer),
    place: () => placeOf(operation),
    resolve: () => attempt(() => resolveOperation(operation, dialect, view.references, shared)),
    shared: () => attempt(() => shared.collect()),
  }
}

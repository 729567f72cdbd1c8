/** An OpenAPI document to its operations: 3.0 and 3.1 as they are, Swagger 2.0 upgraded. */
import { dirname } from 'node:path'
import { upgrade } from '@scalar/openapi-upgrader'
import type { JsonObject } from '../../kernel/json.ts'
import { UnreadableFile, type ConfigReader } from '../file-reader.ts'
import { childOf, type Findings } from '../findings.ts'
import type { KeyPath } from '../issues.ts'
import { suggest } from '../nearest.ts'
import { checkRoutePath } from '../route-path.ts'
import type { Operation } from './operation.ts'
import { ReferenceResolver } from './resolve-references.ts'
import { ReferenceFault, SpecFiles, toPointer, type Located, type SpecFile } from './spec-files.ts'

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']
/** What else may stand beside the methods of a path (OpenAPI 3.1 §4.8.9). */
const ITEM_KEYS = ['$ref', 'summary', 'description', 'servers', 'parameters']

type Dialect = '3.0' | '3.1'

interface Spec {
  readonly root: SpecFile
  readonly files: SpecFiles
  readonly dialect: Dialect
  readonly findings: Findings
}

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
    const spec = file === undefined ? undefined : toSpec(file, files, findings)
    return spec === undefined ? [] : listOperations(spec)
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error
    const hint = 'The path is relative to the file that names it.'
    const shown = findings.isSubstituted(keyPath) ? 'of this path' : path
    findings.report(keyPath, `the OpenAPI document ${shown} ${error.message}`, { hint })
    return []
  }
}

function toSpec(file: SpecFile, files: SpecFiles, findings: Findings): Spec | undefined {
  const version = childOf(file.value, 'openapi') ?? childOf(file.value, 'swagger')
  const text = String(version)
  if (text.startsWith('3.0.')) return { root: file, files, dialect: '3.0', findings }
  if (text.startsWith('3.1.')) return { root: file, files, dialect: '3.1', findings }
  if (text === '2' || text === '2.0') {
    const root = upgradeFile(file, findings)
    if (root === undefined) return undefined
    files.replace(file.source.file, root)
    return { root, files, dialect: '3.1', findings }
  }
  const place = SpecFiles.place(file, version === undefined ? [] : ['openapi'])
  const message = version === undefined ? 'this is not an OpenAPI document' : 'this version of OpenAPI is not known'
  findings.list.add(place, '#/openapi', message, { hint: 'Known: 3.0, 3.1 and Swagger 2.0.' })
  return undefined
}

function upgradeFile({ source, value }: SpecFile, findings: Findings): SpecFile | undefined {
  try {
    // The upgrade changes what it is given, and the places of messages are found by the original. A value with a version
    // in it is a map.
    return { source, value: upgrade(structuredClone(value) as Record<string, unknown>, '3.1') }
  } catch {
    // The library trips over parts of a wrong type, with an error that says nothing to the author of the document.
    const hint = 'Check it with an editor for OpenAPI, or convert it to OpenAPI 3.1.'
    findings.list.add(source.place(source.value, []), '#', 'the document is not valid Swagger 2.0', { hint })
    return undefined
  }
}

function listOperations(spec: Spec): Operation[] {
  const operations: Operation[] = []
  const names = new Map<string, Operation>()
  for (const [path, value] of entriesOf(childOf(spec.root.value, 'paths'))) {
    if (path.startsWith('x-')) continue
    const item = followItem(spec, { file: spec.root, pointer: ['paths', path], value })
    if (item === undefined || !isRoutable(path, spec)) continue
    checkItemKeys(item, spec)
    for (const method of METHODS) {
      const operation = toOperation(path, method, item, spec)
      if (operation === undefined) continue
      const known = names.get(operation.name)
      if (known === undefined) operations.push(operation)
      else {
        const more = { other: known.place(), hint: 'An `operationId` names one operation only.' }
        const message = `another operation has the name ${JSON.stringify(operation.name)}`
        spec.findings.list.add(operation.place(), toPointer(['paths', path, method]), message, more)
      }
      names.set(operation.name, operation)
    }
  }
  return operations
}

function isRoutable(path: string, spec: Spec): boolean {
  const fault = path.startsWith('/')
    ? checkRoutePath(path)
    : { message: `the path ${JSON.stringify(path)} does not begin with a slash`, hint: 'Write it with one.' }
  if (fault === undefined) return true
  const pointer = ['paths', path]
  const place = SpecFiles.place(spec.root, pointer, 'key')
  spec.findings.list.add(place, toPointer(pointer), fault.message, { hint: fault.hint })
  return false
}

/** A misspelt method would be an operation that is silently missing. */
function checkItemKeys(item: Located, spec: Spec): void {
  for (const [key, value] of entriesOf(item.value)) {
    if (key.startsWith('x-')) continue
    const isMethod = METHODS.includes(key)
    if (ITEM_KEYS.includes(key) || (isMethod && isMap(value))) continue
    const pointer = [...item.pointer, key]
    const place = SpecFiles.place(item.file, pointer, 'key')
    const message = isMethod ? 'the operation is not a map of keys' : 'this key of a path is not known'
    const hint = isMethod ? 'Remove it.' : suggest(key, [...METHODS, ...ITEM_KEYS])
    spec.findings.list.add(place, toPointer(pointer), message, { hint })
  }
}

function toOperation(path: string, method: string, item: Located, spec: Spec): Operation | undefined {
  const value = childOf(item.value, method)
  if (!isMap(value)) return undefined
  const id = childOf(value, 'operationId')
  const upper = method.toUpperCase()
  return {
    name: typeof id === 'string' && id !== '' ? id : `${upper} ${path}`,
    method: upper,
    path,
    place: () => SpecFiles.place(item.file, [...item.pointer, method], 'key'),
    resolve: () => attempt(spec, item, [method], () => resolveOperation(value, item, spec)),
  }
}

function resolveOperation(value: object, item: Located, spec: Spec): JsonObject {
  const ofItem: unknown = childOf(item.value, 'parameters')
  const own: unknown = childOf(value, 'parameters')
  // An operation's parameter replaces the path's of the same name and place (OpenAPI 3.1 §4.8.9.1).
  const resolver = new ReferenceResolver(spec.files, spec.dialect === '3.1')
  const parameters = [...(Array.isArray(ofItem) ? ofItem : []), ...(Array.isArray(own) ? own : [])]
  // Callbacks are requests of the upstream, which do not come through here.
  const rest = entriesOf(value).filter(([key]) => key !== 'parameters' && key !== 'callbacks')
  const resolved = resolver.resolve({ parameters, ...Object.fromEntries(rest) }, item.file)
  const all = Array.isArray(resolved['parameters']) ? resolved['parameters'] : []
  const unique = new Map(all.map((each) => [JSON.stringify([childOf(each, 'in'), childOf(each, 'name')]), each]))
  const operation = { ...resolved, parameters: [...unique.values()] }
  return spec.dialect === '3.0' ? upgradeOperation(operation) : operation
}

/** Schemas of OpenAPI 3.0 to those of 3.1, which are JSON Schema 2020-12: policies then know one dialect only. */
function upgradeOperation(operation: JsonObject): JsonObject {
  const { components = {}, ...rest } = operation
  const document = { openapi: '3.0.3', info: { title: '', version: '' }, paths: { '/': { post: rest } }, components }
  const upgraded = upgrade(structuredClone(document), '3.1')
  const post = childOf(childOf(childOf(upgraded, 'paths'), '/'), 'post')
  const kept = operation['components'] === undefined ? {} : { components: childOf(upgraded, 'components') }
  // What went in was JSON, and the upgrade of JSON is JSON.
  return { ...(post as JsonObject), ...kept } as JsonObject
}

function followItem(spec: Spec, item: Located): Located | undefined {
  return attempt(spec, item, [], () => {
    let at = item
    for (let steps = 0; steps < 10; steps++) {
      const reference = childOf(at.value, '$ref')
      if (typeof reference !== 'string') return at
      at = spec.files.follow(reference, at.file)
    }
    throw new ReferenceFault('the references of this path lead in a circle', 'Write its operations here.')
  })
}

/** Runs what follows references; where they lead nowhere is reported at `item`. */
function attempt<Result>(spec: Spec, item: Located, below: KeyPath, run: () => Result): Result | undefined {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof ReferenceFault)) throw error
    const pointer = [...item.pointer, ...below]
    const place = SpecFiles.place(item.file, pointer, 'key')
    spec.findings.list.add(place, toPointer(pointer), error.message, { hint: error.hint })
    return undefined
  }
}

function entriesOf(value: unknown): [string, unknown][] {
  return isMap(value) ? Object.entries(value) : []
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

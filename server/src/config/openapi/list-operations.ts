/** The operations of an OpenAPI 3 document as routes, and what keeps them from being some. */
import { childOf } from '../findings.ts'
import type { Place } from '../issues.ts'
import { suggest } from '../nearest.ts'
import { DemandReader, type Demand } from './demands.ts'
import { routingRules, type Breach } from './document-rules.ts'
import { checkTemplate, toRouteTemplate, type RouteTemplate } from './route-template.ts'
import { ReferenceFault, SpecFiles, type Located, type References, type SpecFile } from './spec-files.ts'
import { tellApart, type Conditions } from './tell-apart.ts'

export const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']
/** What else may stand beside the methods of a path (OpenAPI 3.1 §4.8.9). */
export const ITEM_KEYS = ['$ref', 'summary', 'description', 'servers', 'parameters']

/** A document whose references can be followed, and who hears what is wrong with it. */
export interface DocumentView {
  readonly root: SpecFile
  readonly references: References
  report(breach: Breach, file: SpecFile): void
}

export interface ListedOperation {
  /** Its `operationId`, or `METHOD path`. */
  readonly name: string
  readonly method: string
  readonly template: RouteTemplate
  readonly conditions: Conditions
  /** The path item that it stands in, references followed. */
  readonly item: Located
  readonly value: object
}

type Draft = Omit<ListedOperation, 'conditions'>

/** Lists what can be routed and reports what cannot. */
export function listOperations(view: DocumentView): ListedOperation[] {
  const drafts = new OperationLister(view).list()
  const demands = new DemandReader(view.references)
  const contenders = drafts.map((draft) => ({
    draft,
    method: draft.method,
    path: draft.template.path,
    query: draft.template.query,
    demands: () => toQueryDemands(demands.read(draft.value, draft.item), draft.template),
    mediaTypes: () => demands.readMediaTypes(draft.value, draft.item),
  }))
  const conditions = tellApart(contenders)
  const none: Conditions = { query: [], headers: [] }
  return contenders.map((each) => ({ ...each.draft, conditions: conditions.get(each) ?? none }))
}

class OperationLister {
  private readonly view: DocumentView
  private readonly names = new Map<string, Draft>()
  /** Paths that were reported: once, and not for each of their methods. */
  private readonly faulty = new Set<string>()

  constructor(view: DocumentView) {
    this.view = view
  }

  list(): Draft[] {
    return entriesOf(childOf(this.view.root.value, 'paths')).flatMap(([path, value]) => {
      if (path.startsWith('x-')) return []
      const pointer = ['paths', path]
      const item = this.followItem({ file: this.view.root, pointer, value })
      if (item === undefined) return []
      if (!path.startsWith('/')) {
        const message = `the path ${JSON.stringify(path)} does not begin with a slash`
        this.view.report({ rule: routingRules.pathStart, pointer, message }, this.view.root)
        return []
      }
      this.checkKeys(item)
      return METHODS.flatMap((method) => this.listMethod(path, method, item))
    })
  }

  private listMethod(path: string, method: string, item: Located): Draft[] {
    const value = childOf(item.value, method)
    if (!isMap(value)) return []
    const template = this.toTemplate(path, value, item)
    if (template === undefined) return []
    const id: unknown = childOf(value, 'operationId')
    const upper = method.toUpperCase()
    const name = typeof id === 'string' && id !== '' ? id : `${upper} ${path}`
    const draft: Draft = { name, method: upper, template, item, value }
    const known = this.names.get(name)
    if (known === undefined) {
      this.names.set(name, draft)
      return [draft]
    }
    const message = `another operation has the name ${JSON.stringify(name)}`
    const other = { pointer: toOperationPointer(known), place: () => placeOf(known) }
    this.view.report({ rule: routingRules.operationId, pointer: [...item.pointer, method], message, other }, item.file)
    return []
  }

  private toTemplate(path: string, operation: object, item: Located): RouteTemplate | undefined {
    const template = toRouteTemplate(path)
    if (checkTemplate(template) === undefined) return template
    const constant = this.withConstants(template, operation, item)
    const fault = checkTemplate(constant)
    if (fault === undefined) return constant
    const breach = {
      rule: routingRules.pathTemplate,
      pointer: ['paths', path],
      message: fault.message,
      remedy: fault.hint,
    }
    if (!this.faulty.has(path)) this.view.report(breach, this.view.root)
    this.faulty.add(path)
    return undefined
  }

  /** `{name}{extension}` can be read when there is only one extension, which is text then. */
  private withConstants(template: RouteTemplate, operation: object, item: Located): RouteTemplate {
    const demands = new DemandReader(this.view.references).read(operation, item)
    const path = demands.reduce((text, { place, name, value }) => {
      const isText = place === 'path' && value !== undefined && !/[{}/*]/.test(value)
      return isText ? text.replaceAll(`{${name}}`, value) : text
    }, template.path)
    return { ...template, path }
  }

  /** A misspelt method would be an operation that is silently missing. */
  private checkKeys(item: Located): void {
    for (const [key, value] of entriesOf(item.value)) {
      if (key.startsWith('x-')) continue
      const isMethod = METHODS.includes(key)
      if (ITEM_KEYS.includes(key) || (isMethod && isMap(value))) continue
      const message = isMethod ? 'the operation is not a map of keys' : 'this key of a path is not known'
      const remedy = isMethod ? 'Remove it.' : suggest(key, [...METHODS, ...ITEM_KEYS])
      this.view.report({ rule: routingRules.pathKeys, pointer: [...item.pointer, key], message, remedy }, item.file)
    }
  }

  private followItem(item: Located): Located | undefined {
    try {
      let at = item
      for (let steps = 0; steps < 10; steps++) {
        const reference = childOf(at.value, '$ref')
        if (typeof reference !== 'string') return at
        at = this.view.references.follow(reference, at.file)
      }
      throw new ReferenceFault('the references of this path lead in a circle', 'Write its operations here.')
    } catch (error) {
      if (!(error instanceof ReferenceFault)) throw error
      const { pointer, file } = item
      this.view.report({ rule: routingRules.pathReference, pointer, message: error.message, remedy: error.hint }, file)
      return undefined
    }
  }
}

/** What the path writes into its query is demanded there, whatever the document declares it as. */
function toQueryDemands(declared: readonly Demand[], { moved }: RouteTemplate): Demand[] {
  const written = [...moved.values()].map((name): Demand => ({ place: 'query', name, value: undefined }))
  return [...written, ...declared]
}

export function toOperationPointer({ item, method }: Pick<ListedOperation, 'item' | 'method'>): (string | number)[] {
  return [...item.pointer, method.toLowerCase()]
}

export function placeOf(operation: Pick<ListedOperation, 'item' | 'method'>): Place {
  return SpecFiles.place(operation.item.file, toOperationPointer(operation), 'key')
}

function entriesOf(value: unknown): [string, unknown][] {
  return isMap(value) ? Object.entries(value) : []
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

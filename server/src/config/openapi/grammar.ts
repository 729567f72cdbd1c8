/**
 * What stands where in an OpenAPI document: which values are schemas, parameters, responses and so on, and which are data that
 * only looks so. Keys that are not listed are data; Swagger 2.0, 3.0 and 3.1 share one table, since no key differs in kind.
 */
import type { KeyPath } from '../issues.ts'
import { isTree, mapValues, type Tree } from './json-tree.ts'

export type Kind =
  | 'document'
  | 'components'
  | 'pathItem'
  | 'operation'
  | 'parameter'
  | 'requestBody'
  | 'response'
  | 'header'
  | 'mediaType'
  | 'encoding'
  | 'callback'
  | 'schema'
  | 'example'
  | 'link'
  | 'securityScheme'

interface Slot {
  readonly kind: Kind
  /** Whether the value is one of the kind, a list of them, or a map of them by name. */
  readonly holds: 'one' | 'list' | 'map'
}

const one = (kind: Kind): Slot => ({ kind, holds: 'one' })
const list = (kind: Kind): Slot => ({ kind, holds: 'list' })
const map = (kind: Kind): Slot => ({ kind, holds: 'map' })

function slots(keys: string, slot: Slot): Readonly<Record<string, Slot>> {
  return Object.fromEntries(keys.split(/\s+/).map((key) => [key, slot]))
}

const valued = { schema: one('schema'), content: map('mediaType'), examples: map('example') }

const GRAMMAR: Readonly<Record<Kind, Readonly<Record<string, Slot>>>> = {
  document: {
    paths: map('pathItem'),
    webhooks: map('pathItem'),
    components: one('components'),
    definitions: map('schema'),
    parameters: map('parameter'),
    responses: map('response'),
    securityDefinitions: map('securityScheme'),
  },
  components: {
    schemas: map('schema'),
    responses: map('response'),
    parameters: map('parameter'),
    examples: map('example'),
    requestBodies: map('requestBody'),
    headers: map('header'),
    securitySchemes: map('securityScheme'),
    links: map('link'),
    callbacks: map('callback'),
    pathItems: map('pathItem'),
  },
  pathItem: {
    ...slots('get put post delete options head patch trace', one('operation')),
    parameters: list('parameter'),
  },
  operation: {
    parameters: list('parameter'),
    requestBody: one('requestBody'),
    responses: map('response'),
    callbacks: map('callback'),
  },
  parameter: { ...valued, items: one('schema') },
  requestBody: { content: map('mediaType') },
  response: { headers: map('header'), content: map('mediaType'), links: map('link'), schema: one('schema') },
  header: { ...valued, items: one('schema') },
  mediaType: { schema: one('schema'), examples: map('example'), encoding: map('encoding') },
  encoding: { headers: map('header') },
  // Its keys are expressions, see `slotOf`.
  callback: {},
  schema: {
    ...slots('not if then else items contains additionalProperties propertyNames', one('schema')),
    ...slots('unevaluatedItems unevaluatedProperties additionalItems contentSchema', one('schema')),
    ...slots('allOf anyOf oneOf prefixItems', list('schema')),
    ...slots('properties patternProperties $defs definitions dependentSchemas', map('schema')),
  },
  example: {},
  link: {},
  securityScheme: {},
}

/** The slot of a key. Until 2019-09, `items` could be a list of schemas. */
function slotOf(kind: Kind, key: string, value: unknown): Slot | undefined {
  if (kind === 'callback') return key.startsWith('x-') ? undefined : one('pathItem')
  const known = Object.hasOwn(GRAMMAR[kind], key) ? GRAMMAR[kind][key] : undefined
  return known?.kind === 'schema' && known.holds === 'one' && Array.isArray(value) ? list('schema') : known
}

/** Extensions may stand between paths and responses, which have names of another form. */
function isNamed(kind: Kind, name: string): boolean {
  return !((kind === 'pathItem' || kind === 'response') && name.startsWith('x-'))
}

/** `path` is the one list of a walk: whoever keeps it makes a copy. */
export type VisitPart = (value: unknown, kind: Kind, path: KeyPath) => void

/** Visits every part below and including `value`, in the order of the document. References are not followed. */
export function visitParts(value: unknown, kind: Kind, visit: VisitPart, path: (string | number)[] = []): void {
  visit(value, kind, path)
  if (!isTree(value)) return
  for (const key of Object.keys(value)) {
    const inner = value[key]
    const slot = slotOf(kind, key, inner)
    if (slot === undefined) continue
    path.push(key)
    if (slot.holds === 'one') visitParts(inner, slot.kind, visit, path)
    else visitMembers(inner, slot, visit, path)
    path.pop()
  }
}

function visitMembers(members: unknown, { kind, holds }: Slot, visit: VisitPart, path: (string | number)[]): void {
  if (holds === 'list' && Array.isArray(members)) {
    for (const [index, each] of members.entries()) visitMember(each, kind, visit, path, index)
  } else if (holds === 'map' && isTree(members)) {
    for (const name of Object.keys(members)) {
      if (isNamed(kind, name)) visitMember(members[name], kind, visit, path, name)
    }
  }
}

function visitMember(
  value: unknown,
  kind: Kind,
  visit: VisitPart,
  path: (string | number)[],
  key: string | number,
): void {
  path.push(key)
  visitParts(value, kind, visit, path)
  path.pop()
}

/** The values of a part with every part that stands directly in it changed; other keys stay. */
export function mapParts(value: Tree, kind: Kind, change: (value: unknown, kind: Kind) => unknown): Tree {
  return mapValues(value, (inner, key) => {
    const slot = slotOf(kind, key, inner)
    if (slot === undefined) return inner
    if (slot.holds === 'one') return change(inner, slot.kind)
    if (slot.holds === 'list') return Array.isArray(inner) ? inner.map((each) => change(each, slot.kind)) : inner
    if (!isTree(inner)) return inner
    return mapValues(inner, (each, name) => (isNamed(slot.kind, name) ? change(each, slot.kind) : each))
  })
}

/**
 * Routes by their paths: literal segments before those of text and parameters, these before parameters, these before
 * prefixes; see `router.ts` for the whole precedence.
 */
import { countConditions } from '../kernel/count-conditions.ts'
import { decodeSegment } from '../kernel/path.ts'
import type { RouteMatch } from '../kernel/snapshot.ts'
import { SegmentPattern } from './segment-pattern.ts'

/** A route with its compiled conditions on fields, query and expression; undefined when it has none. */
export interface Routable<Subject> {
  readonly match: RouteMatch
  readonly fits: ((subject: Subject) => boolean) | undefined
}

export interface Found<Route> {
  readonly route: Route
  readonly parameters: readonly string[]
}

interface Node<Route> {
  literals: Map<string, Node<Route>> | undefined
  /** Segments of text and parameters, most text first. */
  patterns: { readonly pattern: SegmentPattern; readonly node: Node<Route> }[] | undefined
  parameter: Node<Route> | undefined
  /** Routes that end here, most conditions first. */
  exact: Route[]
  /** Routes `…/*` whose prefix ends here. */
  prefix: Route[]
}

/** One request on its way through trees. */
export class Search<Subject> {
  readonly subject: Subject
  readonly method: string
  readonly path: string
  /** Methods of routes that fit but for their method. */
  allowed: Set<string> | undefined = undefined
  /** Raw parameter segments on the way down. */
  readonly raw: string[] = []

  constructor(subject: Subject, method: string, path: string) {
    this.subject = subject
    this.method = method
    this.path = path
  }
}

const NO_PARAMETERS: readonly string[] = []

export class RouteTree<Subject, Route extends Routable<Subject>> {
  /** Paths without parameters, which are most: one lookup, and always the most specific. */
  private readonly fixed = new Map<string, Route[]>()
  private readonly root: Node<Route> = createNode()

  add(route: Route): void {
    const { path } = route.match
    if (!path.includes('{') && !path.endsWith('/*')) {
      const known = this.fixed.get(path)
      if (known === undefined) this.fixed.set(toUnique(path), [route])
      else insert(known, route)
      return
    }
    const isPrefix = path.endsWith('/*')
    let node = this.root
    for (const segment of (isPrefix ? path.slice(0, -2) : path).split('/').slice(1)) node = childOf(node, segment)
    insert(isPrefix ? node.prefix : node.exact, route)
  }

  find(search: Search<Subject>): Found<Route> | undefined {
    const fixed = this.fixed.get(search.path)
    if (fixed !== undefined) {
      const route = pick(fixed, search)
      if (route !== undefined) return { route, parameters: NO_PARAMETERS }
    }
    search.raw.length = 0
    const route = this.walk(this.root, 0, search)
    if (route === undefined) return undefined
    return { route, parameters: search.raw.length === 0 ? NO_PARAMETERS : search.raw.map(decodeSegment) }
  }

  /** `at` is the index of the slash before the segment that is looked at. */
  private walk(node: Node<Route>, at: number, search: Search<Subject>): Route | undefined {
    const { path } = search
    if (at >= path.length) return pick(node.exact, search) ?? pick(node.prefix, search)
    const end = path.indexOf('/', at + 1)
    const next = end === -1 ? path.length : end
    const segment = path.slice(at + 1, next)
    const literal = node.literals?.get(segment)
    let found = literal === undefined ? undefined : this.walk(literal, next, search)
    if (found !== undefined) return found
    if (node.patterns !== undefined) {
      found = this.walkPatterns(node.patterns, segment, next, search)
      if (found !== undefined) return found
    }
    // A parameter is never empty: `/books/` is not a book.
    if (node.parameter !== undefined && segment !== '') {
      search.raw.push(segment)
      found = this.walk(node.parameter, next, search)
      if (found !== undefined) return found
      search.raw.pop()
    }
    return pick(node.prefix, search)
  }

  private walkPatterns(
    patterns: NonNullable<Node<Route>['patterns']>,
    segment: string,
    next: number,
    search: Search<Subject>,
  ): Route | undefined {
    const before = search.raw.length
    for (const { pattern, node } of patterns) {
      if (!pattern.match(segment, search.raw)) continue
      const found = this.walk(node, next, search)
      if (found !== undefined) return found
      search.raw.length = before
    }
    return undefined
  }
}

/**
 * The engine looks texts up in a map by their one unique copy. As a property key a text becomes that copy, so that a
 * request's path is found as it is and no second copy is made of it.
 */
function toUnique(text: string): string {
  return Object.keys({ [text]: true })[0] ?? text
}

function createNode<Route>(): Node<Route> {
  return { literals: undefined, patterns: undefined, parameter: undefined, exact: [], prefix: [] }
}

function childOf<Route>(node: Node<Route>, segment: string): Node<Route> {
  if (segment.includes('{')) return parameterChildOf(node, new SegmentPattern(segment))
  node.literals ??= new Map()
  const known = node.literals.get(segment)
  if (known !== undefined) return known
  const child = createNode<Route>()
  node.literals.set(segment, child)
  return child
}

function parameterChildOf<Route>(node: Node<Route>, pattern: SegmentPattern): Node<Route> {
  if (pattern.shape === '{}') return (node.parameter ??= createNode())
  node.patterns ??= []
  const known = node.patterns.find((each) => each.pattern.shape === pattern.shape)
  if (known !== undefined) return known.node
  const child = createNode<Route>()
  const at = node.patterns.findIndex((each) => each.pattern.textChars < pattern.textChars)
  node.patterns.splice(at === -1 ? node.patterns.length : at, 0, { pattern, node: child })
  return child
}

function insert<Route extends { readonly match: RouteMatch }>(routes: Route[], route: Route): void {
  const conditions = countConditions(route.match)
  const at = routes.findIndex((each) => countConditions(each.match) < conditions)
  routes.splice(at === -1 ? routes.length : at, 0, route)
}

function pick<Subject, Route extends Routable<Subject>>(
  routes: readonly Route[],
  search: Search<Subject>,
): Route | undefined {
  for (const route of routes) {
    const { methods } = route.match
    if (methods.length > 0 && !methods.includes(search.method)) {
      if (route.fits !== undefined && !route.fits(search.subject)) continue
      search.allowed ??= new Set()
      for (const method of methods) search.allowed.add(method)
      continue
    }
    if (route.fits === undefined || route.fits(search.subject)) return route
  }
  return undefined
}

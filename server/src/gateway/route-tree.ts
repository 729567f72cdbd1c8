/**
 * Routes by their paths: literal segments before those of text and parameters, these before parameters, these before
 * prefixes; see `router.ts` for the whole precedence.
 */
import { countConditions } from '../kernel/count-conditions.ts'
import { decodeSegment } from '../kernel/path.ts'
import type { RouteMatch } from '../kernel/snapshot.ts'
import { EXACT, NO_MARK, NO_NODE, PathNodes, PATTERNS, PREFIX, ROOT } from './path-nodes.ts'
import { SegmentPattern } from './segment-pattern.ts'

/** A route with its compiled conditions on fields, query and expression; undefined when it has none. */
export interface Routable<Subject> {
  readonly match: RouteMatch
  /** Those of the match. */
  readonly methods: readonly string[]
  readonly fits: ((subject: Subject) => boolean) | undefined
}

export interface Found<Route> {
  readonly route: Route
  readonly parameters: readonly string[]
}

/** A segment of text and parameters, and the node that it leads to. */
interface PatternChild {
  readonly pattern: SegmentPattern
  readonly node: number
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
  /** Paths without a route: what was removed leaves its nodes behind. */
  emptyPaths = 0
  private nodes = new PathNodes()
  /** The route with the most conditions of each path; its index is the mark of the path's node. */
  private first: (Route | undefined)[] = [undefined]
  /** Other routes of the same path by that index, most conditions first. Most paths have none. */
  private others = new Map<number, readonly Route[]>()
  /** Children with patterns, most text first, by the mark of their parent. */
  private patterns: PatternChild[][] = [[]]

  /** Paths with routes. */
  get paths(): number {
    return this.first.length - 1 - this.emptyPaths
  }

  /** Another tree with the same routes, which is changed apart from this one. */
  copy(): RouteTree<Subject, Route> {
    const copy = new RouteTree<Subject, Route>()
    copy.emptyPaths = this.emptyPaths
    copy.nodes = this.nodes.copy()
    copy.first = this.first.slice()
    copy.others = new Map(this.others)
    copy.patterns = this.patterns.map((children) => children.slice())
    return copy
  }

  *routes(): Generator<Route> {
    for (const [mark, route] of this.first.entries()) {
      if (route === undefined) continue
      yield route
      yield* this.others.get(mark) ?? []
    }
  }

  add(route: Route): void {
    const [node, kind] = this.placeOf(route)
    const mark = this.nodes.mark(node, kind)
    if (mark === NO_MARK) this.nodes.setMark(node, kind, this.first.push(route) - 1)
    else this.insert(mark, route)
  }

  /** Takes a route out that was added. */
  remove(route: Route): void {
    const mark = this.nodes.mark(...this.placeOf(route))
    const left = this.routesAt(mark).filter((each) => each !== route)
    this.replaceAt(mark, left)
  }

  private placeOf({ match: { path } }: Route): [node: number, kind: typeof PREFIX | typeof EXACT] {
    const isPrefix = path.endsWith('/*')
    let node = ROOT
    for (const segment of (isPrefix ? path.slice(0, -2) : path).split('/').slice(1)) node = this.childOf(node, segment)
    return [node, isPrefix ? PREFIX : EXACT]
  }

  find(search: Search<Subject>): Found<Route> | undefined {
    search.raw.length = 0
    const route = this.walk(ROOT, 0, search)
    if (route === undefined) return undefined
    return { route, parameters: search.raw.length === 0 ? NO_PARAMETERS : search.raw.map(decodeSegment) }
  }

  /** `at` is the index of the slash before the segment that is looked at. */
  private walk(node: number, at: number, search: Search<Subject>): Route | undefined {
    const { path } = search
    const { nodes } = this
    if (at >= path.length)
      return this.pick(nodes.mark(node, EXACT), search) ?? this.pick(nodes.mark(node, PREFIX), search)
    const end = path.indexOf('/', at + 1)
    const next = end === -1 ? path.length : end
    const literal = nodes.literal(node, path, at + 1, next)
    let found = literal === NO_NODE ? undefined : this.walk(literal, next, search)
    if (found !== undefined) return found
    const patterns = nodes.mark(node, PATTERNS)
    if (patterns !== NO_MARK) {
      found = this.walkPatterns(this.patterns[patterns] ?? [], path.slice(at + 1, next), next, search)
      if (found !== undefined) return found
    }
    const parameter = nodes.parameter(node)
    // A parameter is never empty: `/books/` is not a book.
    if (parameter !== NO_NODE && next > at + 1) {
      search.raw.push(path.slice(at + 1, next))
      found = this.walk(parameter, next, search)
      if (found !== undefined) return found
      search.raw.pop()
    }
    return this.pick(nodes.mark(node, PREFIX), search)
  }

  private walkPatterns(
    children: readonly PatternChild[],
    segment: string,
    next: number,
    search: Search<Subject>,
  ): Route | undefined {
    const before = search.raw.length
    for (const { pattern, node } of children) {
      if (!pattern.match(segment, search.raw)) continue
      const found = this.walk(node, next, search)
      if (found !== undefined) return found
      search.raw.length = before
    }
    return undefined
  }

  private pick(mark: number, search: Search<Subject>): Route | undefined {
    const route = mark === NO_MARK ? undefined : this.first[mark]
    if (route === undefined || isMatch(route, search)) return route
    return this.others.get(mark)?.find((each) => isMatch(each, search))
  }

  private childOf(node: number, segment: string): number {
    if (!segment.includes('{')) return this.nodes.addLiteral(node, segment)
    const pattern = new SegmentPattern(segment)
    return pattern.shape === '{}' ? this.nodes.addParameter(node) : this.patternChildOf(node, pattern)
  }

  private patternChildOf(parent: number, pattern: SegmentPattern): number {
    let mark = this.nodes.mark(parent, PATTERNS)
    if (mark === NO_MARK) {
      mark = this.patterns.push([]) - 1
      this.nodes.setMark(parent, PATTERNS, mark)
    }
    const children = this.patterns[mark] ?? []
    const known = children.find((each) => each.pattern.shape === pattern.shape)
    if (known !== undefined) return known.node
    const node = this.nodes.addPattern(parent)
    const at = children.findIndex((each) => each.pattern.textChars < pattern.textChars)
    children.splice(at === -1 ? children.length : at, 0, { pattern, node })
    return node
  }

  private insert(mark: number, route: Route): void {
    const routes = this.routesAt(mark)
    const conditions = countConditions(route.match)
    const at = routes.findIndex((each) => countConditions(each.match) < conditions)
    this.replaceAt(mark, at === -1 ? [...routes, route] : routes.toSpliced(at, 0, route))
  }

  private routesAt(mark: number): Route[] {
    const first = this.first[mark]
    return first === undefined ? [] : [first, ...(this.others.get(mark) ?? [])]
  }

  private replaceAt(mark: number, [first, ...others]: readonly Route[]): void {
    if (this.first[mark] === undefined) this.emptyPaths--
    if (first === undefined) this.emptyPaths++
    this.first[mark] = first
    if (others.length === 0) this.others.delete(mark)
    else this.others.set(mark, others)
  }
}

/** Whether the route takes the request; one that would but for the method leaves its methods for `Allow`. */
function isMatch<Subject>(route: Routable<Subject>, search: Search<Subject>): boolean {
  const { methods } = route
  if (route.fits !== undefined && !route.fits(search.subject)) return false
  if (methods.length === 0 || methods.includes(search.method)) return true
  search.allowed ??= new Set()
  for (const method of methods) search.allowed.add(method)
  return false
}

/** The routes of a document: those by hand and the operations of OpenAPI documents, put together by name. */
import { parameterNamesOf } from '../kernel/path-template.ts'
import type { FieldMatch, RouteMatch } from '../kernel/snapshot.ts'
import type { Findings } from './findings.ts'
import type { KeyPath } from './issues.ts'
import type { Operation } from './openapi/operation.ts'
import type { Entry, PolicyLists } from './policy-lists.ts'
import { checkRoutePath, toMatchedPath } from './route-path.ts'
import type { ApiSettings, RouteSettings } from './schema/api.ts'
import { withoutStop } from './sentence.ts'
import { toVersionSelector, withoutVersionPath, type VersionSelector } from './version-selector.ts'

export interface ApiPlan {
  readonly settings: ApiSettings
  readonly path: KeyPath
  readonly entries: readonly Entry[]
  readonly routes: readonly RoutePlan[]
}

export interface RoutePlan {
  /** Unique: `api/version/route`. */
  readonly id: string
  readonly name: string
  readonly match: RouteMatch
  readonly parameterNames: readonly string[]
  /** Name of the upstream, the route's or else the API's. */
  readonly upstream: string | undefined
  readonly settings: RouteSettings | undefined
  readonly operation: Operation | undefined
  readonly entries: readonly Entry[]
  /** Where it stands in the document: the route by hand, or the API's `spec`. */
  readonly path: KeyPath
}

/** Routes of one API. `operations` are those of its document, none without one. */
export function planRoutes(
  api: ApiSettings,
  apiPath: KeyPath,
  operations: readonly Operation[],
  lists: PolicyLists,
  findings: Findings,
): RoutePlan[] {
  const byName = new Map(operations.map((operation) => [operation.name, operation]))
  const written = new Map<string, { settings: RouteSettings; path: KeyPath }>()
  api.routes.forEach((settings, index) => {
    const path = [...apiPath, 'routes', index]
    const known = written.get(settings.name)
    if (known === undefined) written.set(settings.name, { settings, path })
    else {
      const otherPath = [...known.path, 'name']
      findings.report([...path, 'name'], 'another route of the API has the same name', {
        otherPath,
        hint: 'Rename one.',
      })
    }
  })
  const planner = new RoutePlanner(api, lists, findings)
  const ofOperations = operations.map((operation) => {
    const more = written.get(operation.name)
    return planner.plan(operation, more?.settings, more?.path ?? [...apiPath, 'spec'])
  })
  const byHand = [...written.values()].filter(({ settings }) => !byName.has(settings.name))
  const routes = [...ofOperations, ...byHand.map(({ settings, path }) => planner.plan(undefined, settings, path))]
  const { path: versionPath, alsoUnversionedPath } = toVersionSelector(api)
  if (!alsoUnversionedPath) return routes
  return [...routes, ...routes.map((route) => toUnversioned(route, versionPath))]
}

/** Ids of routes have a name behind their last slash, and none of these is empty. */
function toUnversioned(route: RoutePlan, versionPath: string): RoutePlan {
  return { ...route, id: `${route.id}/`, match: withoutVersionPath(route.match, versionPath) }
}

class RoutePlanner {
  private readonly api: ApiSettings
  private readonly lists: PolicyLists
  private readonly findings: Findings
  private readonly selector: VersionSelector

  constructor(api: ApiSettings, lists: PolicyLists, findings: Findings) {
    this.api = api
    this.selector = toVersionSelector(api)
    this.lists = lists
    this.findings = findings
  }

  plan(operation: Operation | undefined, settings: RouteSettings | undefined, path: KeyPath): RoutePlan {
    const { api } = this
    const name = operation?.name ?? settings?.name ?? ''
    const id = `${api.name}/${api.version}/${name}`
    const match = this.toMatch(operation, settings, path)
    const owner = `apis/${api.name}/${api.version}/routes/${name}`
    return {
      id,
      name,
      match,
      parameterNames: parameterNamesOf(match.path),
      upstream: settings?.upstream ?? api.upstream,
      settings,
      operation,
      entries: this.lists.toEntries(settings?.policies ?? [], [...path, 'policies'], owner),
      path,
    }
  }

  private toMatch(operation: Operation | undefined, settings: RouteSettings | undefined, path: KeyPath): RouteMatch {
    const { api } = this
    const match = settings?.match
    const basePath = this.normalise(basePathOf(api) + this.selector.path, path)
    return {
      hosts:
        hostsOf(match?.hosts ?? []) ?? hostsOf(api.host === undefined ? api.hosts : [api.host, ...api.hosts]) ?? [],
      path: basePath + this.normalise(this.pathOf(operation, settings, path), path),
      basePath,
      methods: this.methodsOf(operation, settings, path),
      headers: [
        ...joinFields(
          operation?.conditions.headers,
          this.toFields(match?.headers ?? [], [...path, 'match', 'headers'], (name) => name.toLowerCase()),
        ),
        ...this.selector.headers,
      ],
      query: [
        ...joinFields(
          operation?.conditions.query,
          this.toFields(match?.query ?? [], [...path, 'match', 'query'], (name) => name),
        ),
        ...this.selector.query,
      ],
      when: match?.when,
      encodedSlash: api.encodedSlash,
    }
  }

  private pathOf(operation: Operation | undefined, settings: RouteSettings | undefined, path: KeyPath): string {
    const written = settings?.match.path
    const at = [...path, 'match', 'path']
    if (operation !== undefined) {
      if (written !== undefined && written !== operation.path) {
        const hint = 'Leave `match.path` out, or rename the route.'
        this.findings.report(at, `the operation of this name has the path ${operation.path}`, { hint })
      }
      return operation.path
    }
    if (written === undefined) {
      const hint = this.api.spec === undefined ? undefined : 'Or give it the name of an operation of the document.'
      this.findings.report([...path, 'match'], 'the route has no path', { hint: hint ?? 'Add `match.path`.' })
      return '/'
    }
    const fault = checkRoutePath(written)
    if (fault !== undefined) this.findings.report(at, fault.message, { hint: fault.hint })
    return written
  }

  private toFields(
    written: RouteSettings['match']['query'],
    path: KeyPath,
    toName: (name: string) => string,
  ): FieldMatch[] {
    return written.map(({ name: writtenName, value, absent }, index) => {
      const name = toName(writtenName)
      if (!absent) return { name, value }
      const hint = 'Leave one of them out.'
      if (value !== undefined) this.findings.report([...path, index], '`value` and `absent` stand together', { hint })
      return { name, value: undefined, absent: true }
    })
  }

  private normalise(routePath: string, path: KeyPath): string {
    const matched = toMatchedPath(routePath, this.api.encodedSlash)
    if (typeof matched === 'string') return matched
    this.findings.report(path, `the path ${routePath} can never match: ${withoutStop(matched.message)}`, matched)
    return routePath
  }

  private methodsOf(operation: Operation | undefined, settings: RouteSettings | undefined, path: KeyPath): string[] {
    const written = settings?.match.methods ?? []
    if (operation === undefined) return [...new Set(written)]
    if (written.some((method) => method !== operation.method)) {
      const hint = 'Leave `match.methods` out, or rename the route.'
      const message = `the operation of this name has the method ${operation.method}`
      this.findings.report([...path, 'match', 'methods'], message, { hint })
    }
    return [operation.method]
  }
}

/** What an operation needs to be told from others, and what is written by hand, which replaces it for the same name. */
function joinFields(ofOperation: readonly FieldMatch[] = [], byHand: readonly FieldMatch[]): FieldMatch[] {
  return [...ofOperation.filter(({ name }) => !byHand.some((each) => each.name === name)), ...byHand]
}

/** `/` says the same as no base path; a slash at its end would be doubled by the route's. */
function basePathOf(api: ApiSettings): string {
  return api.basePath.replace(/\/+$/, '')
}

function hostsOf(hosts: readonly string[]): string[] | undefined {
  return hosts.length === 0 ? undefined : [...new Set(hosts.map((host) => host.toLowerCase()))]
}

// Makes a request for each route and asks the router of the gateway which route takes it.
import { Router } from '../../server/src/gateway/router.ts'
import type { RouteMatch, RouteSpec } from '../../server/src/kernel/snapshot.ts'

interface Request {
  readonly headers: ReadonlyMap<string, string>
  readonly query: ReadonlyMap<string, string>
}

/** The first route whose own request goes to another one, said in a sentence; undefined when there is none. */
export function findUnreached(routes: readonly RouteSpec[]): string | undefined {
  const router = new Router<
    Request,
    {
      readonly spec: RouteSpec
      readonly match: RouteMatch
      readonly methods: readonly string[]
      readonly fits: (request: Request) => boolean
    }
  >()
  for (const spec of routes) {
    router.add({ spec, match: spec.match, methods: spec.match.methods, fits: (request) => fits(spec.match, request) })
  }
  for (const { match, name } of routes) {
    const path = match.path.replaceAll(/\{[^{}]*\}/g, 'q7~')
    const found = router.find(toRequest(match), match.methods[0] ?? 'GET', 'api.example.com', path)
    const taken = found === undefined || found instanceof Set ? undefined : found.route.spec.name
    if (taken !== name) return `a request for ${match.methods.join()} ${match.path} goes to ${taken ?? 'no route'}`
  }
  return undefined
}

function toRequest({ headers, query }: RouteMatch): Request {
  const carried = (fields: RouteMatch['query']): Map<string, string> =>
    new Map(fields.filter(({ absent }) => absent !== true).map(({ name, value }) => [name, value ?? 'any']))
  return { headers: carried(headers), query: carried(query) }
}

function fits({ headers, query }: RouteMatch, request: Request): boolean {
  const areMet = (fields: RouteMatch['query'], given: ReadonlyMap<string, string>): boolean =>
    fields.every(({ name, value, absent }) =>
      absent === true ? !given.has(name) : given.has(name) && (value === undefined || given.get(name) === value),
    )
  return areMet(headers, request.headers) && areMet(query, request.query)
}

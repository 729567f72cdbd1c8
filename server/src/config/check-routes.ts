/** Refuses two routes that a request could fit equally well: nobody could say which one it takes. */
import { countConditions } from '../kernel/count-conditions.ts'
import type { FieldMatch, RouteMatch } from '../kernel/snapshot.ts'
import type { Findings } from './findings.ts'
import { couldFork, listForks } from './path-forks.ts'
import { toPathShape } from './route-path.ts'
import type { RoutePlan } from './route-plans.ts'
import type { Steps } from './steps.ts'

export function checkPrecedence(routes: readonly RoutePlan[], findings: Findings): Steps<void> {
  return findRivals(routes, (route, rival) => report(route, rival, findings))
}

/**
 * The router asks the host first, then the path segment by segment, then the number of conditions. So two routes are
 * compared when they share a host, the shape of their path and the number of conditions; or when they part at segments
 * that nobody could rank. `tell` hears of each pair, the later one first.
 */
export function* findRivals<Route extends { readonly match: RouteMatch }>(
  routes: readonly Route[],
  tell: (route: Route, rival: Route) => void,
): Steps<void> {
  const places = new Map<string, Route[]>()
  for (const route of routes) {
    const { match } = route
    const reported = new Set<Route>()
    const compare = (place: string, isRival: (other: Route) => boolean): void => {
      const others = places.get(place) ?? []
      const rival = others.find((other) => !reported.has(other) && isRival(other) && couldBothMatch(other.match, match))
      if (rival !== undefined) {
        reported.add(rival)
        tell(route, rival)
      }
      others.push(route)
      places.set(place, others)
    }
    const shape = toPathShape(match.path)
    const forks = listForks(match.path)
    for (const host of match.hosts.length === 0 ? ['*'] : match.hosts) {
      compare(`${host} ${shape} ${countConditions(match)}`, () => true)
      for (const { at, place } of forks) {
        compare(`${host} ${place}`, (other) => couldFork(other.match.path, match.path, at))
      }
    }
    yield
  }
}

function report(route: RoutePlan, rival: RoutePlan, findings: Findings): void {
  const methods = route.match.methods.length === 0 ? 'any method' : route.match.methods.join(', ')
  const message = `a request for ${methods} ${route.match.path} fits the route ${JSON.stringify(rival.name)} equally well`
  const hint = 'Change a path or method, or give one of them a condition more.'
  const other = rival.operation?.place() ?? findings.place(rival.path)
  const place = route.operation?.place() ?? findings.place(route.path)
  findings.list.add(place, route.operation?.pointer ?? route.path, message, { other, hint })
}

/**
 * Expressions cannot be compared: two different ones are taken for alternatives, and the router asks them in the
 * order of the routes.
 */
function couldBothMatch(a: RouteMatch, b: RouteMatch): boolean {
  if (a.methods.length > 0 && b.methods.length > 0 && !a.methods.some((method) => b.methods.includes(method)))
    return false
  if (a.when !== b.when) return false
  return !areApart(a.headers, b.headers) && !areApart(a.query, b.query)
}

/** Whether two lists ask one field for different values, or one for its presence and one for its absence. */
function areApart(a: readonly FieldMatch[], b: readonly FieldMatch[]): boolean {
  return a.some((left) => b.some((right) => isSameField(left, right) && excludeEachOther(left, right)))
}

function isSameField(left: FieldMatch, right: FieldMatch): boolean {
  return left.name === right.name && left.vendor === right.vendor
}

function excludeEachOther(left: FieldMatch, right: FieldMatch): boolean {
  if (takesAbsence(left) && takesAbsence(right)) return false
  if (left.absent === true || right.absent === true) return true
  return left.value !== undefined && right.value !== undefined && left.value !== right.value
}

function takesAbsence({ absent, orAbsent }: FieldMatch): boolean {
  return absent === true || orAbsent === true
}

/** How specific a match is: the router prefers more conditions, and two routes with as many may be rivals. */
import type { RouteMatch } from './snapshot.ts'

/** How many things a match asks for besides host and path; all its methods together count as one. */
export function countConditions({ headers, query, when, methods }: RouteMatch): number {
  return headers.length + query.length + (when === undefined ? 0 : 1) + (methods.length === 0 ? 0 : 1)
}

/** The conditions of a route besides host, path and method, as one closure. */
import { versionOfAccept } from '../kernel/accept-version.ts'
import type { Exchange } from '../kernel/exchange.ts'
import { compileExpression } from '../kernel/expression.ts'
import { queryJoined } from '../kernel/query.ts'
import type { FieldMatch, RouteMatch } from '../kernel/snapshot.ts'

/** Undefined when there are none. */
export function compileConditions(match: RouteMatch): ((exchange: Exchange) => boolean) | undefined {
  const { headers, query } = match
  const when = match.when === undefined ? undefined : compileExpression(match.when, 'bool')
  if (headers.length === 0 && query.length === 0 && when === undefined) return undefined
  return (exchange) => {
    const { request } = exchange
    // All values of a field count: of two, nobody knows which one the upstream takes.
    for (const wanted of headers) if (!fits(wanted, request.fields.joined(wanted.name), isHeaderValue)) return false
    for (const wanted of query) if (!fits(wanted, queryJoined(request.query, wanted.name), isSame)) return false
    return when === undefined || when(exchange)
  }
}

type Compare = (given: string, wanted: string, name: string) => boolean

function fits(wanted: FieldMatch, field: string | undefined, compare: Compare): boolean {
  const { name, value, absent, orAbsent, vendor } = wanted
  const given = vendor === undefined || field === undefined ? field : versionOfAccept(field, vendor)
  if (given === undefined) return absent === true || orAbsent === true
  return absent !== true && (value === undefined || compare(given, value, name))
}

const isSame: Compare = (given, wanted) => given === wanted

/** `application/json` is asked for whatever its parameters are, and in either case (RFC 9110 §8.3.1). */
const isHeaderValue: Compare = (given, wanted, name) => {
  if (given === wanted || name !== 'content-type' || wanted.includes(';')) return given === wanted
  const end = given.indexOf(';')
  const essence = end === -1 ? given : given.slice(0, end)
  return essence.trim().toLowerCase() === wanted.toLowerCase()
}

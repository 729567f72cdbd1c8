/** What an expression may name: types for the check and readers for the evaluation, each read only when it is needed. */
import type { Exchange } from './exchange.ts'
import type { Fields } from './fields.ts'
import { isJsonObject } from './json.ts'
import { queryJoined, queryMap } from './query.ts'

export type VariableType = 'string' | 'int' | 'bool' | 'dyn' | 'list<string>' | 'map<string, string>' | 'map' | 'time'
export type Read = (exchange: Exchange) => unknown

export interface Variable {
  readonly type: VariableType
  readonly read: Read
  /** Present for a variable with names below it: what is there, undefined when nothing is. */
  readonly at?: (exchange: Exchange, path: readonly string[]) => unknown
  /** What stands for a name that is not there. A missing claim is null, so that it equals no text that a client sends. */
  readonly missing?: '' | null
  /** Function of the evaluation that finds one name which is only known then. */
  readonly lookUp?: string
  /** Names are compared in lower case. */
  readonly ignoreCase?: boolean
}

/** Most names or pieces that an expression goes through, so that none runs long. */
export const MAX_NAMES = 256

export const variables: Readonly<Record<string, Readonly<Record<string, Variable>>>> = {
  request: {
    method: text((exchange) => exchange.request.method),
    path: text((exchange) => exchange.request.path),
    host: text((exchange) => exchange.request.host),
    ip: text((exchange) => exchange.request.peer.ip),
    scheme: text((exchange) => exchange.request.peer.scheme),
    version: text((exchange) => exchange.request.version),
    certificate: {
      type: 'map<string, string>',
      read: (exchange) => new Map(Object.entries(certificateOf(exchange))),
      at: (exchange, [name = '']) => memberOf(certificateOf(exchange), name),
      missing: '',
    },
    query: {
      type: 'map<string, string>',
      read: (exchange) => bounded(queryMap(exchange.request.query, MAX_NAMES)),
      at: (exchange, [name = '']) => queryJoined(exchange.request.query, name),
      missing: '',
      lookUp: 'look_up_query',
    },
    headers: fields('look_up_request_header', (exchange) => exchange.request.fields),
    parameters: {
      type: 'map<string, string>',
      read: (exchange) =>
        new Map(exchange.route?.parameterNames.map((name, at) => [name, exchange.parameters[at] ?? ''])),
      at: (exchange, [name = '']) => exchange.parameter(name),
      missing: '',
      lookUp: 'look_up_parameter',
    },
  },
  principal: {
    id: text((exchange) => exchange.principal?.id ?? ''),
    consumer: text((exchange) => exchange.principal?.consumer ?? ''),
    scopes: { type: 'list<string>', read: (exchange) => exchange.principal?.scopes ?? [] },
    roles: { type: 'list<string>', read: (exchange) => exchange.principal?.roles ?? [] },
    claims: {
      type: 'map',
      read: (exchange) => exchange.principal?.claims ?? {},
      at: (exchange, path) => path.reduce(memberOf, exchange.principal?.claims),
      missing: null,
      lookUp: 'look_up_claim',
    },
  },
  route: {
    name: text((exchange) => exchange.route?.name ?? ''),
    api: text((exchange) => exchange.route?.api ?? ''),
    version: text((exchange) => exchange.route?.apiVersion ?? ''),
  },
  response: {
    status: { type: 'int', read: (exchange) => BigInt(exchange.reply?.status ?? 0) },
    headers: fields('look_up_response_header', (exchange) => exchange.reply?.fields),
  },
}

/** The moment at which the request came in. */
export const now: Variable = { type: 'time', read: (exchange) => new Date(exchange.startedAtMs) }

/** What `has()` says of a variable as a whole: that it is not empty. */
export function isFilled(value: unknown): boolean {
  if (value instanceof Map) return value.size > 0
  if (isJsonObject(value)) return Object.keys(value).length > 0
  if (typeof value === 'string' || Array.isArray(value)) return value.length > 0
  return value !== 0n
}

/** Stops an evaluation that would go through more than it may. */
export function bounded<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new RangeError(`more than ${MAX_NAMES} values to go through`)
  return value
}

/** Only what was proven: a certificate that anybody could have made is none. */
function certificateOf({ request }: Exchange): Readonly<Record<string, string>> {
  const { certificate } = request.peer
  if (certificate?.verified !== true) return {}
  const { subject, issuer, fingerprint256, serialNumber } = certificate
  return { subject, issuer, fingerprint: fingerprint256, serialNumber }
}

function memberOf(value: unknown, name: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

function text(read: (exchange: Exchange) => string): Variable {
  return { type: 'string', read }
}

/** Repeated fields count as one list (RFC 9110 §5.3), so that a second one cannot hide behind the first. */
function fields(lookUp: string, of: (exchange: Exchange) => Fields | undefined): Variable {
  return {
    type: 'map<string, string>',
    read: (exchange) => {
      const all = of(exchange)
      if (all !== undefined && all.size > MAX_NAMES) bounded(undefined)
      return new Map(all?.names.map((name) => [name, all.joined(name) ?? '']))
    },
    at: (exchange, [name = '']) => of(exchange)?.joined(name),
    missing: '',
    lookUp,
    ignoreCase: true,
  }
}

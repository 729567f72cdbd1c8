/** Exchanges for tests of policies: everything has a plain default, so that a test names only what it is about. */
import type { BodySource } from '../src/kernel/body.ts'
import { Exchange, type ExchangeRequest, type Peer } from '../src/kernel/exchange.ts'
import { Fields } from '../src/kernel/fields.ts'
import type { Principal } from '../src/kernel/principal.ts'
import type { RouteFacts } from '../src/kernel/snapshot.ts'

/** Wall-clock time at which exchanges and clocks of tests start: 2026-01-01T00:00:00Z. */
export const testStartMs = Date.UTC(2026, 0, 1)

export interface TestExchangeOptions {
  readonly id?: string
  readonly method?: string
  readonly path?: string
  /** Without the question mark. */
  readonly query?: string
  readonly host?: string
  readonly ip?: string
  readonly scheme?: 'http' | 'https'
  readonly version?: '1.0' | '1.1' | '2'
  readonly certificate?: Peer['certificate']
  /** A list stands for a field that is repeated. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Uint8Array | BodySource
  readonly principal?: Partial<Principal>
  readonly route?: Partial<RouteFacts>
  /** Path parameters by name; sets the route's names too. */
  readonly parameters?: Readonly<Record<string, string>>
  readonly startedAtMs?: number
}

export function testExchange(options: TestExchangeOptions = {}): Exchange {
  const startedAtMs = options.startedAtMs ?? testStartMs
  const exchange = new Exchange(
    options.id ?? '0'.repeat(32),
    testRequest(options),
    startedAtMs,
    startedAtMs - testStartMs,
  )
  exchange.route = testRoute({ parameterNames: Object.keys(options.parameters ?? {}), ...options.route })
  exchange.parameters = Object.values(options.parameters ?? {})
  if (options.principal !== undefined) exchange.principal = testPrincipal(options.principal)
  return exchange
}

export function testRoute(facts: Partial<RouteFacts> = {}): RouteFacts {
  return {
    id: 'books/1.0.0/list',
    name: 'list',
    api: 'books',
    apiVersion: '1.0.0',
    parameterNames: [],
    operation: undefined,
    ...facts,
  }
}

function testPrincipal(facts: Partial<Principal> = {}): Principal {
  return {
    id: 'acme',
    consumer: 'acme',
    credential: 'default',
    by: 'key-auth',
    scopes: [],
    roles: [],
    claims: {},
    ...facts,
  }
}

function testRequest(options: TestExchangeOptions): ExchangeRequest {
  const host = options.host ?? 'api.test'
  return {
    method: options.method ?? 'GET',
    path: options.path ?? '/',
    query: options.query,
    host,
    authority: host,
    version: options.version ?? '1.1',
    fields: toFields(options.headers ?? {}),
    peer: {
      ip: options.ip ?? '192.0.2.1',
      port: 40_000,
      scheme: options.scheme ?? 'http',
      certificate: options.certificate,
    },
    upgrade: undefined,
    acceptsTrailers: false,
    body: typeof options.body === 'string' ? Buffer.from(options.body) : options.body,
    bodyEndedMs: 0,
    content: undefined,
  }
}

function toFields(headers: Readonly<Record<string, string | readonly string[]>>): Fields {
  const fields = new Fields()
  for (const [name, value] of Object.entries(headers)) {
    for (const each of typeof value === 'string' ? [value] : value) fields.append(name.toLowerCase(), each)
  }
  return fields
}

/** CEL over an exchange: compiled when a snapshot is, evaluated per request. */
import { Environment } from '@marcbachmann/cel-js'
import type { Exchange } from './exchange.ts'

export type ExpressionType = 'bool' | 'string' | 'int'

const environment = new Environment().registerVariable('request', 'map').registerVariable('principal', 'map')

export function compileExpression(source: string, type: 'bool'): (exchange: Exchange) => boolean
export function compileExpression(source: string, type: 'string'): (exchange: Exchange) => string
export function compileExpression(source: string, type: 'int'): (exchange: Exchange) => number
export function compileExpression(
  source: string,
  type: ExpressionType,
): (exchange: Exchange) => boolean | string | number {
  const evaluate = environment.parse(source)
  return (exchange) => {
    const query = Object.fromEntries(new URLSearchParams(exchange.request.query ?? ''))
    const { names, values } = exchange.request.fields
    const headers = Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']))
    const { method, path } = exchange.request
    const value: unknown = evaluate({ request: { method, path, query, headers }, principal: { ...exchange.principal } })
    if (type === 'int' && typeof value === 'bigint') return Number(value)
    if (type === 'bool' && typeof value === 'boolean') return value
    if (type === 'string' && typeof value === 'string') return value
    throw new TypeError(`Expression gives ${typeof value} instead of ${type}: ${source}`)
  }
}

/**
 * The path for the upstream, from a template, an expression or another beginning. A result is used only when it is in
 * the one form that all servers read alike. One that would first have to be brought into it is refused, never mended:
 * resolving the dots of an inserted `..` would leave the folder that the template names.
 */
import type { Exchange } from '../../kernel/exchange.ts'
import { normalisePath } from '../../kernel/path.ts'
import type { PolicyCheck } from '../../kernel/policy.ts'
import type { PolicyServices } from '../../kernel/policy-services.ts'
import { compileText, type TextValue } from '../../kernel/text-value.ts'

const PARAMETER = /\{([^{}/]*)\}/

export interface PrefixChange {
  readonly from: string
  readonly to: string
}

/** Sets the exchange's path for the upstream; false when its values give an ambiguous one. */
type RewritePath = (exchange: Exchange) => boolean

export function compilePath(
  path: TextValue | undefined,
  prefix: PrefixChange | undefined,
  services: PolicyServices,
): RewritePath | undefined {
  if (path === undefined) return prefix && compilePrefix(prefix)
  if (typeof path === 'string') return compileTemplate(path)
  const compute = compileText(path, services)
  return (exchange) => forwardTo(exchange, compute(exchange))
}

export function checkPath(path: TextValue, check: PolicyCheck): void {
  if (typeof path !== 'string') {
    check.expression(['path', 'expression'], path.expression, 'string')
    return
  }
  const [first = '', ...rest] = path.split(PARAMETER)
  const names = rest.filter((_, at) => at % 2 === 0)
  if (!isUnambiguous([first, ...rest.map((text, at) => (at % 2 === 0 ? 'x' : text))].join('')))
    check.report(['path'], 'must begin with /, have no query and be a path with one reading')
  for (const name of names) {
    const without = check.routes.find((route) => !route.parameterNames.includes(name))
    if (without !== undefined)
      check.report(['path'], `inserts {${name}}, which the path of route ${without.id} does not have`)
  }
}

export function checkPrefix(prefix: PrefixChange, check: PolicyCheck): void {
  for (const key of ['from', 'to'] as const) {
    const path = prefix[key]
    if (!isUnambiguous(path) || (path !== '/' && path.endsWith('/')))
      check.report(['replacePrefix', key], 'must begin with /, not end with it, and be a path with one reading')
  }
}

function compileTemplate(template: string): RewritePath {
  const parts = template.split(PARAMETER)
  return (exchange) => {
    let path = ''
    for (let at = 0; at < parts.length; at++) {
      const part = parts[at] ?? ''
      path += at % 2 === 0 ? part : encodeURIComponent(exchange.parameter(part) ?? '')
    }
    return forwardTo(exchange, path)
  }
}

function compilePrefix({ from, to }: PrefixChange): RewritePath {
  const before = from === '/' ? '' : from
  const beginning = to === '/' ? '' : to
  return (exchange) => {
    const { path } = exchange.request
    const isBelow = path.startsWith(before) && (path.length === before.length || path[before.length] === '/')
    // Both parts are in normal form, so what they make together is, too.
    if (isBelow) exchange.forwardPath = beginning + path.slice(before.length) || '/'
    return true
  }
}

function forwardTo(exchange: Exchange, path: string): boolean {
  if (!isUnambiguous(path)) return false
  exchange.forwardPath = path
  return true
}

/** Whether the path is its own normal form. An encoded slash is data here: it was let in, or inserted as such. */
function isUnambiguous(path: string): boolean {
  return normalisePath(path, 'keep') === path
}

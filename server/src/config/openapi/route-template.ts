/**
 * From a path as documents write it to one that can be routed. A path of OpenAPI has neither query nor fragment (3.1
 * §4.8.8.1), yet many documents use them to tell operations of one path apart; some use expressions of RFC 6570.
 */
import type { FieldMatch } from '../../kernel/snapshot.ts'
import { checkRoutePath, type PathFault } from '../route-path.ts'

export interface RouteTemplate {
  readonly path: string
  /** What the query of the path writes down: `?action=list` asks for that value, `?acl` for its presence. */
  readonly query: readonly FieldMatch[]
  /** Parameters in the query of the path, such as `?q={text}`: their names in the query by those in braces. */
  readonly moved: ReadonlyMap<string, string>
}

export function toRouteTemplate(written: string): RouteTemplate {
  const [beforeFragment = ''] = written.split('#')
  // RFC 6570 §3.2.8: parameters of the query, which documents declare as such.
  const withoutForm = beforeFragment.replaceAll(/\{[?&][^{}]*\}/g, '')
  const question = withoutForm.indexOf('?')
  const path = question === -1 ? withoutForm : withoutForm.slice(0, question)
  return { path: toPath(path), ...readQuery(question === -1 ? '' : withoutForm.slice(question + 1)) }
}

/** What is wrong with it, if anything; names of parameters are the author's and may hold most characters. */
export function checkTemplate({ path }: RouteTemplate): PathFault | undefined {
  return checkRoutePath(path, (name) => name !== '' && !/^[+#;/?&|=,!@]|[+*]$/.test(name))
}

function toPath(path: string): string {
  const names = new Set<string>()
  const named = path
    // Requests are normalised in the same way before they are matched.
    .replaceAll(/\/{2,}/g, '/')
    // RFC 6570 §3.2.5: the dot is text in front of the value.
    .replaceAll('{.', '.{.')
    .replaceAll(/\{([^{}]*)\}/g, (_, name: string) => `{${toUnique(name, names)}}`)
  return named === '' ? '/' : named
}

function toUnique(name: string, names: Set<string>): string {
  let unique = name
  for (let count = 2; names.has(unique); count++) unique = `${name}-${count}`
  names.add(unique)
  return unique
}

function readQuery(query: string): Pick<RouteTemplate, 'query' | 'moved'> {
  const fields: FieldMatch[] = []
  const moved = new Map<string, string>()
  for (const part of query.split('&')) {
    const equals = part.indexOf('=')
    const name = equals === -1 ? part : part.slice(0, equals)
    const value = equals === -1 ? '' : part.slice(equals + 1)
    if (name === '' || name.includes('{')) continue
    const parameter = /^\{([^{}]*)\}$/.exec(value)?.[1]
    if (parameter !== undefined) moved.set(parameter, name)
    else if (!value.includes('{')) fields.push({ name, value: value === '' ? undefined : value })
  }
  return { query: fields, moved }
}

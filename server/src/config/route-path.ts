/** Which paths of routes can be matched: plain segments, whole-segment parameters, and `/*` at the end. */
import { normalisePath } from '../kernel/path.ts'

export interface PathFault {
  readonly message: string
  readonly hint: string
}

/** Says what is wrong with a route's path, if anything. */
export function checkRoutePath(path: string): PathFault | undefined {
  const segments = path.split('/').slice(1)
  const names = new Set<string>()
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1
    const fault = checkSegment(segment, isLast, names)
    if (fault !== undefined) return fault
  }
  return undefined
}

function checkSegment(segment: string, isLast: boolean, names: Set<string>): PathFault | undefined {
  const name = /^\{([^{}]*)\}$/.exec(segment)?.[1]
  if (name !== undefined) {
    const isPlain = /^[A-Za-z0-9_.-]+$/.test(name)
    if (!isPlain) return { message: `\`${segment}\` names no parameter`, hint: 'Write {name}: letters, digits, _ . -' }
    if (names.has(name)) return { message: `the parameter {${name}} stands twice in the path`, hint: 'Rename one.' }
    names.add(name)
    return undefined
  }
  if (/[{}]/.test(segment)) {
    const message = `a parameter has to be a whole segment, which \`${segment}\` is not`
    return { message, hint: 'Make the whole segment a parameter, such as `/files/{name}` for `/files/{name}.json`.' }
  }
  if (segment === '*' && isLast) return undefined
  if (segment.includes('*')) return { message: '`*` stands only alone at the end', hint: 'Write `/*` at the end.' }
  if (segment === '' && !isLast) return { message: 'the path has an empty segment', hint: 'Remove the second `/`.' }
  if (segment === '.' || segment === '..') {
    return { message: `\`${segment}\` never matches: paths are normalised first`, hint: 'Write the path without it.' }
  }
  return undefined
}

/** Names of the `{name}` segments, in their order. */
export function parameterNamesOf(path: string): string[] {
  return path.split('/').flatMap((segment) => (segment.startsWith('{') ? [segment.slice(1, -1)] : []))
}

/** The path with its parameters made equal: what two routes must share to be mistaken for each other. */
export function toPathShape(path: string): string {
  return path.replaceAll(/\{[^{}]*\}/g, '{}')
}

/** Characters that a path cannot have as they are (RFC 3986 §3.3), such as those outside ASCII. */
const UNENCODED = /[^A-Za-z0-9\-._~!$&'()*+,;=:@%/]/gu

/** A path in the form in which requests are matched, parameters untouched; or what is wrong with it. */
export function toMatchedPath(path: string, encodedSlash: 'refuse' | 'keep'): string | PathFault {
  const segments: string[] = []
  for (const segment of path.split('/').slice(1)) {
    const isPlain = segment !== '' && !segment.startsWith('{') && segment !== '*'
    const normal = isPlain
      ? normalisePath(`/${segment.replaceAll(UNENCODED, encodeURIComponent)}`, encodedSlash)
      : `/${segment}`
    if (typeof normal !== 'string') {
      const hint = 'Requests with such a path are refused, so the route would never match.'
      return { message: normal.detail ?? 'the path is not safe', hint }
    }
    segments.push(normal)
  }
  return segments.join('')
}

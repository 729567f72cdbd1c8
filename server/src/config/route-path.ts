/** Which paths of routes can be matched: segments of text, parameters or both in turn, and `/*` at the end. */
import { normalisePath } from '../kernel/path.ts'
import { splitTemplate } from '../kernel/path-template.ts'

export interface PathFault {
  readonly message: string
  readonly hint: string
}

/** Says what is wrong with a route's path, if anything. Whoever has names of others to take says which are right. */
export function checkRoutePath(path: string, isName = isPlainName): PathFault | undefined {
  const segments = path.split('/').slice(1)
  const names = new Set<string>()
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1
    const fault = checkParameters(segment, names, isName) ?? checkText(segment, isLast)
    if (fault !== undefined) return fault
  }
  return undefined
}

function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9_.-]+$/.test(name)
}

function checkParameters(segment: string, names: Set<string>, isName: typeof isPlainName): PathFault | undefined {
  const parts = splitTemplate(segment)
  for (const [at, part] of parts.entries()) {
    const fault = at % 2 === 0 ? checkBetween(segment, part, at, parts.length) : checkName(part, names, isName)
    if (fault !== undefined) return fault
  }
  return undefined
}

function checkBetween(segment: string, text: string, at: number, parts: number): PathFault | undefined {
  if (/[{}]/.test(text)) return { message: `a brace of \`${segment}\` has no partner`, hint: 'Write {name}.' }
  if (text === '' && at > 0 && at < parts - 1) {
    const message = `two parameters of \`${segment}\` touch, so nobody could say where the first one ends`
    return { message, hint: 'Put a character between them, or make one parameter of them.' }
  }
  return undefined
}

function checkName(name: string, names: Set<string>, isName: typeof isPlainName): PathFault | undefined {
  if (!isName(name))
    return { message: `\`{${name}}\` names no parameter`, hint: 'Write {name}: letters, digits, _ . -' }
  if (names.has(name)) return { message: `the parameter {${name}} stands twice in the path`, hint: 'Rename one.' }
  names.add(name)
  return undefined
}

function checkText(segment: string, isLast: boolean): PathFault | undefined {
  if (segment === '*' && isLast) return undefined
  if (segment.includes('*')) return { message: '`*` stands only alone at the end', hint: 'Write `/*` at the end.' }
  if (segment === '' && !isLast) return { message: 'the path has an empty segment', hint: 'Remove the second `/`.' }
  if (segment === '.' || segment === '..') {
    return { message: `\`${segment}\` never matches: paths are normalised first`, hint: 'Write the path without it.' }
  }
  return undefined
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
    const parts = splitTemplate(segment)
    const matched: string[] = []
    for (const [at, part] of parts.entries()) {
      const normal = at % 2 === 1 ? `{${part}}` : toMatchedText(part, parts.length === 1, encodedSlash)
      if (typeof normal !== 'string') return normal
      matched.push(normal)
    }
    segments.push(`/${matched.join('')}`)
  }
  return segments.join('')
}

/** `isWhole`: the text is the whole segment, and not the part before, between or behind parameters. */
function toMatchedText(text: string, isWhole: boolean, encodedSlash: 'refuse' | 'keep'): string | PathFault {
  if (text === '' || text === '*') return text
  // Behind a letter, dots and semicolons are what they are beside a parameter: text.
  const before = isWhole ? '/' : '/x'
  const normal = normalisePath(before + text.replaceAll(UNENCODED, encodeURIComponent), encodedSlash)
  if (typeof normal === 'string') return normal.slice(before.length)
  const hint = 'Requests with such a path are refused, so the route would never match.'
  return { message: normal.detail ?? 'the path is not safe', hint }
}

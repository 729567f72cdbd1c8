/**
 * Reads and changes a query string without taking it apart as a whole: most requests ask for one parameter or none.
 * Names and values are decoded as forms are (WHATWG URL §5.1), so that `%61pi=x` is found under `api`.
 */
import { unescape } from 'node:querystring'

/** The first value of a parameter, or undefined when the query does not have it. */
export function queryValue(query: string | undefined, name: string): string | undefined {
  if (query === undefined) return undefined
  for (let at = 0; at < query.length;) {
    const end = endOfPart(query, at)
    const part = query.slice(at, end)
    if (isNamed(part, name)) return valueOf(part)
    at = end + 1
  }
  return undefined
}

/** All values of a parameter as one list with commas, or undefined: a second value cannot hide behind the first. */
export function queryJoined(query: string | undefined, name: string): string | undefined {
  if (query === undefined) return undefined
  let all: string | undefined
  for (let at = 0; at < query.length;) {
    const end = endOfPart(query, at)
    const part = query.slice(at, end)
    if (isNamed(part, name)) all = joined(all, valueOf(part))
    at = end + 1
  }
  return all
}

/** All values of a parameter, in order. */
export function queryValues(query: string | undefined, name: string): string[] {
  if (query === undefined) return []
  const parts = query.split('&').filter((part) => isNamed(part, name))
  return parts.map(valueOf)
}

/** The values of every parameter, several of one joined; `undefined` when there are more than `limit` names. */
export function queryMap(query: string | undefined, limit: number): Map<string, string> | undefined {
  const values = new Map<string, string>()
  for (const part of query?.split('&') ?? []) {
    if (part === '') continue
    const name = nameOf(part)
    values.set(name, joined(values.get(name), valueOf(part)))
    if (values.size > limit) return undefined
  }
  return values
}

/** The query without any parameter of that name, all others byte for byte; undefined when none is left. */
export function withoutQueryName(query: string, name: string): string | undefined {
  return withoutParts(query, (part) => isNamed(part, name))
}

/** The same for many names, whose number costs nothing: each parameter's own name is decoded once. */
export function withoutQueryNames(query: string, names: ReadonlySet<string>): string | undefined {
  return names.size === 0 ? query : withoutParts(query, (part) => part !== '' && names.has(nameOf(part)))
}

function withoutParts(query: string, goes: (part: string) => boolean): string | undefined {
  const parts = query.split('&')
  const kept = parts.filter((part) => !goes(part))
  if (kept.length === parts.length) return query
  return kept.length === 0 ? undefined : kept.join('&')
}

function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`
}

function endOfPart(query: string, at: number): number {
  const end = query.indexOf('&', at)
  return end === -1 ? query.length : end
}

function isNamed(part: string, name: string): boolean {
  if (part.startsWith(name)) {
    if (part.length === name.length || part.charCodeAt(name.length) === EQUALS) return part !== ''
  }
  // Only a name that is written in an encoded way can still be the same.
  return (part.includes('%') || part.includes('+')) && nameOf(part) === name
}

function nameOf(part: string): string {
  const equals = part.indexOf('=')
  return decode(equals === -1 ? part : part.slice(0, equals))
}

function valueOf(part: string): string {
  const equals = part.indexOf('=')
  return equals === -1 ? '' : decode(part.slice(equals + 1))
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  // Beside a stray percent sign `unescape` takes characters beyond ASCII for bytes.
  return unescape(spaced.toWellFormed().replaceAll(/[^\0-\x7f]+/g, encodeURIComponent))
}

const EQUALS = 0x3d

/**
 * Looks into a text that is known to be JSON, for what its values do not tell: where something stands, and which name stands
 * twice. Without a tree, because documents of tens of megabytes are read and a tree of one takes gigabytes.
 */
import type { KeyPath } from './issues.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_MAP = 0x7b
const CLOSE_MAP = 0x7d

/** How many names the objects of a text have, repeated ones counted again. */
export function countNames(text: string): number {
  let count = 0
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at)) {
    at = endOfString(text, at)
    if (text.charCodeAt(skipSpace(text, at)) === COLON) count++
  }
  return count
}

export interface RepeatedName {
  readonly path: KeyPath
  /** Where the second one stands. */
  readonly offset: number
}

/** The first name that an object has twice. */
export function findRepeatedName(text: string): RepeatedName | undefined {
  const open: { names: Set<string> | undefined; key: string | number }[] = []
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    const frame = open.at(-1)
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = endOfString(text, at)
      const colon = skipSpace(text, end)
      if (frame?.names !== undefined && text.charCodeAt(colon) === COLON) {
        frame.key = toName(text, at, end)
        if (frame.names.has(frame.key)) return { path: open.map(({ key }) => key), offset: at }
        frame.names.add(frame.key)
      }
      at = end
      continue
    }
    if (code === OPEN_MAP) open.push({ names: new Set(), key: '' })
    else if (code === OPEN_LIST) open.push({ names: undefined, key: 0 })
    else if (code === CLOSE_MAP || code === CLOSE_LIST) open.pop()
    else if (code === COMMA && typeof frame?.key === 'number') frame.key++
    at++
  }
  return undefined
}

/** Where what `path` leads to stands in the text, or the last part of the path that exists. */
export function findOffset(text: string, path: KeyPath, at: 'key' | 'value'): number {
  let value = skipSpace(text, 0)
  let keyAt = value
  for (const key of path) {
    const found = findMember(text, value, key)
    if (found === undefined) return keyAt
    value = found.value
    keyAt = at === 'key' ? found.key : value
  }
  return keyAt
}

/** Line and column, from 1, of an offset. */
export function toPosition(text: string, offset: number): { readonly line: number; readonly column: number } {
  let line = 1
  let start = 0
  for (let end = text.indexOf('\n'); end !== -1 && end < offset; end = text.indexOf('\n', start)) {
    line++
    start = end + 1
  }
  return { line, column: offset - start + 1 }
}

interface Member {
  readonly key: number
  readonly value: number
}

function findMember(text: string, container: number, key: string | number): Member | undefined {
  const isMap = text.charCodeAt(container) === OPEN_MAP
  if (!isMap && text.charCodeAt(container) !== OPEN_LIST) return undefined
  let at = skipSpace(text, container + 1)
  for (let index = 0; !isEnd(text, at); index++) {
    const keyEnd = isMap ? endOfString(text, at) : at
    const value = isMap ? skipSpace(text, skipSpace(text, keyEnd) + 1) : at
    if (isMap ? toName(text, at, keyEnd) === String(key) : index === Number(key)) return { key: at, value }
    at = skipSpace(text, endOfValue(text, value))
    if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1)
  }
  return undefined
}

function endOfValue(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length;) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (depth === 0 && at > start && (code === COMMA || isEnd(text, at))) return at
    else {
      if (code === OPEN_MAP || code === OPEN_LIST) depth++
      if (code === CLOSE_MAP || code === CLOSE_LIST) depth--
      at++
    }
    if (depth === 0 && (code === QUOTE || code === CLOSE_MAP || code === CLOSE_LIST)) return at
  }
  return text.length
}

function isEnd(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code === CLOSE_MAP || code === CLOSE_LIST || at >= text.length
}

/** `at` is the opening quote; the result is behind the closing one. */
function endOfString(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes++
    if (escapes % 2 === 0) return end + 1
  }
  return text.length
}

function toName(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end - 1)
  return raw.includes('\\') ? String(JSON.parse(`"${raw}"`)) : raw
}

function skipSpace(text: string, from: number): number {
  let at = from
  for (let code = text.charCodeAt(at); code === 0x20 || (code >= 0x09 && code <= 0x0d); code = text.charCodeAt(at)) at++
  return at
}

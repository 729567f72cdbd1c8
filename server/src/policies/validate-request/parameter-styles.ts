/** Takes the texts of a parameter apart by its style (OpenAPI 3.1 §4.8.12.3, RFC 6570). */
import type { Parameter, Style } from './operation.ts'
import type { Written } from './parameter-text.ts'
import type { Shape } from './schema-shape.ts'

/** Names with their still encoded values, in order. */
export type Pairs = readonly (readonly [name: string, raw: string])[]

/** What a parameter has, why it cannot be read, or undefined when it is not there. */
export type Reading = { readonly written: Written } | { readonly fault: string } | undefined

const repeated: Reading = { fault: 'must be given once' }
const badEncoding: Reading = { fault: 'must be percent-encoded UTF-8' }
const badPairs: Reading = { fault: 'must be names and values in turn' }

const separators: Readonly<Partial<Record<Style, RegExp>>> = {
  spaceDelimited: /%20|\+/,
  pipeDelimited: /\||%7C/i,
}

/** Reads a parameter of the query. */
export function readQueryParameter(parameter: Parameter, shape: Shape, pairs: Pairs): Reading {
  const { name, style, explode } = parameter
  if (style === 'deepObject') return readDeepObject(name, pairs)
  if (shape.form === 'record' && explode && !parameter.isJson) return readOwnMembers(shape, pairs)
  const values = pairs.filter(([each]) => each === name).map(([, raw]) => raw)
  if (values.length === 0) return undefined
  if (shape.form === 'list' && explode && !parameter.isJson) return decodeAll(values)
  const [raw = ''] = values
  if (values.length > 1) return repeated
  if (shape.form === 'text' || parameter.isJson) return decodeOne(raw)
  // What is encoded is data: the separators are looked for before it is decoded.
  const texts = raw === '' ? [] : raw.split(separators[style] ?? ',')
  const decoded = decodeAll(texts)
  if (shape.form === 'list' || decoded === undefined || 'fault' in decoded) return decoded
  return toRecord(texts.map((text) => decode(text) ?? ''))
}

/** Reads a parameter of a path, whose percent-encoding is undone, or of a field or cookie, which have none. */
export function readPlainParameter({ name, style, explode }: Parameter, shape: Shape, text: string): Reading {
  const prefix = style === 'label' ? '.' : style === 'matrix' ? `;${name}=` : ''
  const isRecord = shape.form === 'record'
  const start = style === 'matrix' && isRecord && explode ? ';' : prefix
  if (!text.startsWith(start)) return { fault: `must begin with ${start}` }
  const rest = text.slice(start.length)
  if (shape.form === 'text') return { written: rest }
  const between =
    !explode || style === 'simple' || style === 'form' ? ',' : style === 'label' ? '.' : isRecord ? ';' : prefix
  const texts = rest === '' ? [] : rest.split(between)
  if (!isRecord) return { written: texts.map((each) => (style === 'simple' ? each.trim() : each)) }
  return toRecord(explode ? texts.flatMap(splitMember) : texts)
}

/** Takes a query apart; names that are not encoded as they should be stay as they are. */
export function toPairs(text: string | undefined): Pairs {
  if (text === undefined || text === '') return []
  const parts = text.split('&').filter((part) => part !== '')
  return parts.map((part) => {
    const [name, raw] = splitMember(part)
    return [decode(name) ?? name, raw] as const
  })
}

/** Members of an object that are parameters of their own: `color[a]=1` is `deepObject`, `a=1` is `form`. */
function readOwnMembers(shape: Shape, pairs: Pairs): Reading {
  const own = pairs.filter(([name]) => shape.propertyNames.includes(name))
  if (own.length === 0) return undefined
  const members = new Map<string, Written>()
  for (const [name, raw] of own) {
    const text = decode(raw)
    if (text === undefined) return badEncoding
    if (members.has(name)) return repeated
    members.set(name, text)
  }
  return { written: Object.fromEntries(members) }
}

function readDeepObject(name: string, pairs: Pairs): Reading {
  const members = new Map<string, Written>()
  for (const [each, raw] of pairs) {
    if (!each.startsWith(`${name}[`)) continue
    const [, key, list] = /^\[([^[\]]+)\](\[\])?$/.exec(each.slice(name.length)) ?? []
    const text = decode(raw)
    if (key === undefined) return { fault: `must be written as ${name}[member], one level deep` }
    if (text === undefined) return badEncoding
    const known = members.get(key)
    if (known === undefined) members.set(key, list === undefined ? text : [text])
    else members.set(key, [...(typeof known === 'string' ? [known] : Object.values(known)), text])
  }
  return members.size === 0 ? undefined : { written: Object.fromEntries(members) }
}

function toRecord(texts: readonly string[]): Reading {
  if (texts.length % 2 === 1) return badPairs
  const entries = texts.flatMap((text, at): [string, string][] => (at % 2 === 0 ? [[text, texts[at + 1] ?? '']] : []))
  return { written: Object.fromEntries(entries) }
}

function splitMember(part: string): [name: string, value: string] {
  const equals = part.indexOf('=')
  return equals === -1 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)]
}

function decodeOne(raw: string): Reading {
  const written = decode(raw)
  return written === undefined ? badEncoding : { written }
}

function decodeAll(raws: readonly string[]): Reading {
  const texts = raws.map(decode)
  return texts.includes(undefined) ? badEncoding : { written: texts.map((text) => text ?? '') }
}

function decode(raw: string): string | undefined {
  const spaced = raw.includes('+') ? raw.replaceAll('+', ' ') : raw
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    // The one way to ask the engine whether it is UTF-8.
    return undefined
  }
}

/** What a client prefers of the mock: the field `Prefer` (RFC 7240) with preferences of ours. */
import type { Fields } from '../../kernel/fields.ts'

export interface Preferences {
  /** Status of the answer. */
  readonly code: number | undefined
  /** Name of an example. */
  readonly example: string | undefined
  /** A made-up answer, another one each time. */
  readonly dynamic: boolean | undefined
  readonly delayMs: number | undefined
}

export const noPreferences: Preferences = {
  code: undefined,
  example: undefined,
  dynamic: undefined,
  delayMs: undefined,
}

/** A preference: `token [= (token | quoted-string)]`, then parameters, which ours have none of. */
const PREFERENCE = /(?:^|[,\s])\s*([!#$%&'*+.^_`|~\w-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^",;\s]*)))?\s*(?=[,;]|$)/g
const MAX_CHARS = 1000

export function readPreferences(fields: Fields): Preferences {
  const text = fields.joined('prefer')
  if (text === undefined || text.length > MAX_CHARS) return noPreferences
  const given = new Map<string, string>()
  for (const [, name = '', quoted, token] of text.matchAll(PREFERENCE)) {
    const key = name.toLowerCase()
    // The first of several counts (RFC 7240 §2).
    if (!given.has(key)) given.set(key, quoted?.replaceAll(/\\(.)/g, '$1') ?? token ?? '')
  }
  const dynamic = given.get('dynamic')
  return {
    code: toNumber(given.get('code')),
    example: given.get('example'),
    dynamic: dynamic === undefined ? undefined : dynamic !== 'false',
    delayMs: toNumber(given.get('delay')),
  }
}

/** `Preference-Applied` (RFC 7240 §3) for what was followed; undefined when nothing was. */
export function toPreferenceApplied({ code, example, dynamic, delayMs }: Preferences): string | undefined {
  const applied = [
    ...(code === undefined ? [] : [`code=${code}`]),
    ...(example === undefined ? [] : [`example=${toWord(example)}`]),
    ...(dynamic === undefined ? [] : [`dynamic=${dynamic}`]),
    ...(delayMs === undefined ? [] : [`delay=${delayMs}`]),
  ]
  return applied.length === 0 ? undefined : applied.join(', ')
}

function toWord(text: string): string {
  return /^[!#$%&'*+.^_`|~\w-]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

function toNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

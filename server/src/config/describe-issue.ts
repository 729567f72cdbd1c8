/** What zod found, as sentences for people: what is wrong, where exactly, and how to mend it. */
import type { z } from 'zod'
import type { KeyPath } from './issues.ts'
import { suggest, suggestNearest } from './nearest.ts'
import { keysAt, schemaAt, toDefinition } from './schema-path.ts'
import { lowerFirst } from './sentence.ts'

export interface Description {
  readonly path: KeyPath
  readonly at: 'key' | 'value'
  readonly message: string
  readonly hint: string | undefined
}

/** Describes an issue of `value`; paths start at the root of `schema`. No message repeats the value, which may be secret. */
export function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown): Description[] {
  const path = issue.path.map((key) => (typeof key === 'symbol' ? key.toString() : key))
  const one = (message: string, hint?: string): Description[] => [{ path, at: 'value', message, hint }]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        at: 'key' as const,
        message: 'this key is not known',
        hint: suggest(key, keysAt(schema, path)),
      }))
    case 'invalid_union':
      return describeUnion(issue, schema, value, path)
    case 'invalid_value':
    case 'invalid_type':
      return isMissing(value, path) ? describeMissing(path, schema) : [describeKind(issue, value, path)]
    case 'too_small':
      return one(`must ${bound(issue, 'at least', issue.minimum)}`)
    case 'too_big':
      return one(`must ${bound(issue, 'at most', issue.maximum)}`)
    case 'invalid_format':
      return one(`must be ${formatWords(issue)}`)
    case 'invalid_key':
      return one('this key is not allowed here')
    default:
      return one(lowerFirst(issue.message))
  }
}

function isMissing(value: unknown, path: KeyPath): boolean {
  return valueAt(value, path) === undefined
}

function describeMissing(path: KeyPath, schema: z.ZodType): Description[] {
  const key = String(path.at(-1) ?? '')
  const about = schemaAt(schema, path)
  const words = about === undefined ? undefined : description(about)
  return [{ path, at: 'value', message: 'is missing', hint: `Add \`${key}\`${words ? `: ${lowerFirst(words)}` : '.'}` }]
}

type KindIssue = z.core.$ZodIssueInvalidType | z.core.$ZodIssueInvalidValue

function describeKind(issue: KindIssue, value: unknown, path: KeyPath): Description {
  const found = valueAt(value, path)
  if (issue.code === 'invalid_type') {
    const message = `must be ${article(issue.expected)}, not ${article(typeName(found))}`
    return { path, at: 'value', message, hint: hintFor(issue.expected, found) }
  }
  const values = issue.values.map(String)
  const hint = typeof found === 'string' ? suggestNearest(found, values) : undefined
  return { path, at: 'value', message: `must be ${values.map((each) => `\`${each}\``).join(' or ')}`, hint }
}

/** Of the ways that a union allows, the one that was most probably meant. */
function describeUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  schema: z.ZodType,
  value: unknown,
  path: KeyPath,
): Description[] {
  const isOther = (each: z.core.$ZodIssue): boolean => each.path.length === 0 && each.code === 'invalid_type'
  const meant = issue.errors.filter((errors) => !errors.some(isOther)).toSorted((a, b) => a.length - b.length)[0]
  if (meant !== undefined) {
    return meant.flatMap((each) => describeIssue({ ...each, path: [...path, ...each.path] }, schema, value))
  }
  const kinds = issue.errors.flatMap((errors) =>
    errors.flatMap((each) => (each.code === 'invalid_type' ? [each.expected] : [])),
  )
  const words = [...new Set(kinds.map(article))].join(' or ')
  return [
    {
      path,
      at: 'value',
      message: words === '' ? 'is none of the things allowed here' : `must be ${words}`,
      hint: undefined,
    },
  ]
}

function bound(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, most: string, limit: number | bigint): string {
  const many = Number(limit) === 1 ? '' : 's'
  if (issue.origin === 'string') return limit === 1 ? 'not be empty' : `have ${most} ${limit} character${many}`
  if (issue.origin === 'array') return limit === 1 ? 'not be an empty list' : `have ${most} ${limit} entries`
  if (issue.inclusive === false) return `be ${most === 'at least' ? 'more' : 'less'} than ${limit}`
  return `be ${most} ${limit}`
}

function formatWords(issue: z.core.$ZodIssueInvalidStringFormat): string {
  if (issue.format === 'datetime') return 'a time such as 2027-01-31T00:00:00Z'
  if (issue.format !== 'regex') return `of the form ${issue.format}`
  // Our own patterns carry words as their message; zod's own begins with "Invalid".
  return issue.message.startsWith('Invalid') ? `text that matches ${issue.pattern ?? 'the pattern'}` : issue.message
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function hintFor(expected: string, found: unknown): string | undefined {
  if (found === null) return 'Remove the key, or give it a value.'
  return expected === 'string' && typeof found !== 'object' ? 'Put it in quotes.' : undefined
}

const NAMES: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'a map of keys',
  record: 'a map of keys',
  string: 'text',
  int: 'a whole number',
  boolean: 'true or false',
  null: 'empty',
}

function article(kind: string): string {
  return NAMES[kind] ?? `a ${kind}`
}

function description(schema: z.core.$ZodType): string | undefined {
  return toDefinition(schema).description
}

function valueAt(value: unknown, path: KeyPath): unknown {
  let at = value
  for (const key of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined
  return at
}

/** Checks a part of the document against its schema and reports everything that is wrong with it. */
import type { z } from 'zod'
import { describeIssue } from './describe-issue.ts'
import { childOf, type Findings } from './findings.ts'
import type { KeyPath } from './issues.ts'

/** The parsed value with its defaults, or undefined after reports. `path` is where the value stands. */
export function parseValue<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  path: KeyPath,
  findings: Findings,
): z.output<Schema> | undefined {
  let result = schema.safeParse(value)
  if (!result.success && convertSubstituted(result.error.issues, value, path, findings))
    result = schema.safeParse(value)
  if (result.success) return result.data
  for (const issue of result.error.issues) {
    for (const { path: inner, at, message, hint } of describeIssue(issue, schema, value)) {
      findings.report([...path, ...inner], message, { at, hint })
    }
  }
  return undefined
}

/**
 * `limit: ${LIMIT}` is text to YAML. Where a number or a boolean is expected and the text came from a variable, the
 * text is read as one; text written in the file stays text. Returns whether anything was converted.
 */
function convertSubstituted(
  issues: readonly z.core.$ZodIssue[],
  value: unknown,
  path: KeyPath,
  findings: Findings,
): boolean {
  let converted = false
  for (const issue of issues) {
    if (issue.code !== 'invalid_type') continue
    const inner = issue.path.map((key) => (typeof key === 'symbol' ? key.toString() : key))
    const key = inner.at(-1)
    if (key === undefined || !findings.isSubstituted([...path, ...inner])) continue
    let parent = value
    for (const step of inner.slice(0, -1)) parent = childOf(parent, step)
    const meant = readAs(issue.expected, childOf(parent, key))
    if (meant === undefined || typeof parent !== 'object' || parent === null) continue
    Reflect.set(parent, key, meant)
    converted = true
  }
  return converted
}

function readAs(expected: string, text: unknown): number | boolean | undefined {
  if (typeof text !== 'string') return undefined
  if (expected === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined
  const isNumber = (expected === 'number' || expected === 'int') && /^-?\d+(?:\.\d+)?$/.test(text)
  return isNumber ? Number(text) : undefined
}

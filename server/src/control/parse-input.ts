/** Parses what callers send; what does not fit is refused with a pointer to each place. */
import type { z } from 'zod'
import { refuse } from './control-error.ts'
import { invalid } from './problems.ts'

const MOST_ERRORS = 100

/** `where` is empty for a body, whose places are JSON pointers; else `path` or `query`. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const errors = result.error.issues.slice(0, MOST_ERRORS).map((issue) => ({
    pointer: where === '' ? toPointer(issue.path) : `${where} ${issue.path.join('.')}`.trim(),
    detail: toDetail(issue),
  }))
  return refuse(invalid({ detail: errors[0]?.detail ?? 'The input does not fit.', errors }))
}

/** zod says of what is not there that it received `undefined`, which no caller can send. */
function toDetail({ message, ...issue }: z.core.$ZodIssue): string {
  const isMissing = issue.code === 'invalid_type' && message.endsWith('received undefined')
  return isMissing ? `is missing; expected ${issue.expected}` : message
}

/** A JSON pointer (RFC 6901). */
function toPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

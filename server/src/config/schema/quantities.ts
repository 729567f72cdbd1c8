/** Building blocks of the document's schemas: names, durations, sizes. Units stand in the key and in `meta.unit`. */
import { z } from 'zod'
import { fieldName as fieldNameText } from '../../kernel/field-syntax.ts'

/** A type and not an interface, so that it fits zod's open record of metadata. */
type Words = { readonly title: string; readonly description: string }

const YEAR_SECONDS = 31_536_000

/** A duration in seconds; fractions are allowed. `least` is above 0 where no time at all would let nothing through. */
export function seconds(byDefault: number, words: Words, least = 0) {
  return z
    .number()
    .min(least)
    .max(YEAR_SECONDS)
    .default(byDefault)
    .meta({ ...words, unit: 'seconds' })
}

/** A duration that is inherited when it is not given. */
export function inheritedSeconds(words: Words) {
  return z
    .number()
    .min(0)
    .max(YEAR_SECONDS)
    .optional()
    .meta({ ...words, unit: 'seconds' })
}

/** A whole number between bounds. */
export function count(byDefault: number, min: number, max: number, words: Words) {
  return z.int().min(min).max(max).default(byDefault).meta(words)
}

/** A size in bytes between bounds. */
export function bytes(byDefault: number, min: number, max: number, words: Words) {
  return z
    .int()
    .min(min)
    .max(max)
    .default(byDefault)
    .meta({ ...words, unit: 'bytes' })
}

/** The name of a thing that others refer to. */
export function name(words: Words) {
  return z
    .string()
    .max(100)
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
      'letters, digits, dots, dashes and underscores, beginning with a letter or digit',
    )
    .meta(words)
}

/** Words about a thing for people, catalogues and filters; nothing that a gateway runs. */
export function labels() {
  return z
    .record(z.string().max(100), z.string().max(500))
    .optional()
    .meta({ title: 'Labels', description: 'Anything worth knowing about it; lists can be filtered by them.' })
}

/** The name of a field of HTTP (RFC 9110 §5.1). */
export function fieldName(words: Words) {
  return fieldNameText.meta(words)
}

/** Text without control characters, which could end the line that it is written in. */
export function line(words: Words & { readonly secret?: true }) {
  return z
    .string()
    .min(1)
    .max(16_384)
    .regex(/^[^\0-\x08\x0A-\x1F\x7F]*$/, 'text without line breaks and control characters')
    .meta(words)
}

/** A CEL expression. */
export function expression(words: Words) {
  return z
    .string()
    .min(1)
    .max(4096)
    .meta({ ...words, language: 'cel' })
}

/** An exact host name or `*.` and a name, which stands for every name below it. */
export const host = z
  .string()
  .max(255)
  .regex(
    /^(?:(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])$/,
    'a host name without a port, such as api.example.com or *.example.com',
  )
  .meta({ title: 'Host', description: 'Exact name, or `*.example.com` for every name below it. Without a port.' })

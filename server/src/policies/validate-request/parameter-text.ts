/** Texts of parameters to the values that they stand for, as far as a schema tells; only for validation. */
import type { JsonValue } from '../../kernel/json.ts'
import type { Shape } from './schema-shape.ts'

/** A parameter as it was taken apart by its style: one text, several, or names with their texts. */
export type Written = string | readonly Written[] | { readonly [name: string]: Written }

/** A number as JSON writes it: what one reader takes for hexadecimal, octal or infinite is none. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

export function toValue(written: Written, shape: Shape): JsonValue {
  if (typeof written === 'string') return toScalar(written, shape.types)
  if (isTexts(written)) return written.map((each) => toValue(each, shape.items()))
  const entries = Object.entries(written).map(([name, each]) => [name, toValue(each, shape.property(name))] as const)
  return Object.fromEntries(entries)
}

/** Whether the same texts could also stand for themselves: a schema may allow numbers and texts alike. */
export function isAmbiguous(written: Written, shape: Shape): boolean {
  return typeof written === 'string' && shape.types.has('string') && shape.types.size > 1
}

function toScalar(text: string, types: ReadonlySet<string>): JsonValue {
  if ((types.has('number') || types.has('integer')) && NUMBER.test(text)) return Number(text)
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  if (types.has('null') && text === 'null') return null
  return text
}

function isTexts(written: Written): written is readonly Written[] {
  return Array.isArray(written)
}

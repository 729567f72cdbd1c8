/**
 * A text in a policy's configuration: as it stands, or computed for each exchange by CEL. The second form is an object,
 * so that no text has to be escaped and `${NAME}` stays what it is everywhere: a reference to the environment.
 */
import { z } from 'zod'
import type { Exchange } from './exchange.ts'
import { ExpressionFault } from './expression-error.ts'
import type { PolicyCheck } from './policy.ts'
import type { PolicyServices } from './policy-services.ts'

const MAX_TEXT_CHARS = 8192

export const textValue = z.union([
  z.string().max(MAX_TEXT_CHARS),
  z.strictObject({
    expression: z.string().min(1).max(4096).meta({
      title: 'Expression',
      description: 'CEL that gives the text for each request.',
      language: 'cel',
    }),
  }),
])
export type TextValue = z.output<typeof textValue>

/** What a text must be where it is used, e.g. a field value; without a rule any text will do. */
export interface TextRule {
  accepts(text: string): boolean
  /** Completes "the text cannot be …". */
  readonly name: string
}

const anyText: TextRule = { accepts: () => true, name: 'any text' }

/** Reports a literal text that breaks the rule, or an expression that does not compile. */
export function checkText(
  check: PolicyCheck,
  path: readonly (string | number)[],
  value: TextValue,
  rule: TextRule = anyText,
): void {
  if (typeof value !== 'string') check.expression([...path, 'expression'], value.expression, 'string')
  else if (!rule.accepts(value)) check.report(path, `cannot be ${rule.name}`)
}

/**
 * Compiles the text. A computed one that breaks the rule is thrown as a fault of the expression and goes nowhere:
 * mending it would be guessing what its author meant.
 */
export function compileText(
  value: TextValue,
  services: PolicyServices,
  rule: TextRule = anyText,
): (exchange: Exchange) => string {
  if (typeof value === 'string') {
    if (!rule.accepts(value)) throw new Error(`The text cannot be ${rule.name}`)
    return () => value
  }
  const compute = services.expression(value.expression, 'string')
  return (exchange) => {
    const text = compute(exchange)
    if (!rule.accepts(text)) throw new ExpressionFault(value.expression, `the text cannot be ${rule.name}`)
    return text
  }
}

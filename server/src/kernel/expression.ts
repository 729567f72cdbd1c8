/**
 * CEL over an exchange: compiled when a snapshot is, evaluated per request (`when`, routing, keys, costs).
 *
 * Compiling refuses what is unknown, of a wrong type or could run long; see `expression-plan.ts` for how variables are
 * read. Evaluating is synchronous, changes nothing and either gives a value of the type asked for or throws an
 * ExpressionFault, which the pipeline answers with 500: a condition that cannot be told lets nothing pass.
 */
import { EvaluationError, ParseError, TypeError as CelTypeError, type ParseResult } from '@marcbachmann/cel-js'
import type { Exchange } from './exchange.ts'
import { ExpressionError, ExpressionFault } from './expression-error.ts'
import { planExpression, type ExpressionPlan } from './expression-plan.ts'
import { createChecker, createRuntime, evaluation } from './expression-runtime.ts'

export { ExpressionError, ExpressionFault } from './expression-error.ts'

export type ExpressionType = 'bool' | 'string' | 'int'
export type Expression<Value> = (exchange: Exchange) => Value

const MAX_SOURCE_CHARS = 4096
const checker = createChecker()
const runtime = createRuntime()

/** Compiles a source whose value is of the given type; throws an ExpressionError that says where it is wrong. */
export function compileExpression(source: string, type: 'bool'): Expression<boolean>
export function compileExpression(source: string, type: 'string'): Expression<string>
export function compileExpression(source: string, type: 'int'): Expression<number>
export function compileExpression(source: string, type: ExpressionType): Expression<boolean | string | number> {
  const { run, readers, patterns } = compile(source, type)
  return (exchange) => {
    evaluation.exchange = exchange
    evaluation.readers = readers
    evaluation.patterns = patterns
    try {
      return toValue(run(evaluation), type)
    } catch (cause) {
      throw new ExpressionFault(source, reasonOf(cause), cause)
    } finally {
      evaluation.exchange = undefined
    }
  }
}

function toValue(value: unknown, type: ExpressionType): boolean | string | number {
  if (typeof value === 'boolean' && type === 'bool') return value
  if (typeof value === 'string' && type === 'string') return value
  if (value === null && type === 'string') return ''
  if (type === 'int' && (typeof value === 'bigint' || typeof value === 'number')) {
    const number = Number(value)
    if (Number.isSafeInteger(number)) return number
  }
  throw new RangeError(`a ${typeof value} that is no ${type}`)
}

function compile(source: string, type: ExpressionType): ExpressionPlan & { readonly run: ParseResult } {
  if (source.length > MAX_SOURCE_CHARS) {
    throw new ExpressionError(`More than ${MAX_SOURCE_CHARS} characters`, MAX_SOURCE_CHARS)
  }
  try {
    const parsed = checker.parse(source)
    const plan = planExpression(parsed.ast)
    const { error } = parsed.check()
    // The library's has() takes no `['name']`, ours does; the check of the plan looks at those again.
    if (error !== undefined && error.code !== 'invalid_macro_argument') throw error
    const run = runtime.parse(plan.text)
    const checked = run.check()
    if (checked.error !== undefined) throw checked.error
    const found = checked.type ?? 'dyn'
    if (found === type || found.startsWith('dyn')) return { ...plan, run }
    throw new ExpressionError(`The value is ${found} instead of ${type}`, 0, CONVERSIONS[type])
  } catch (cause) {
    if (!(cause instanceof ParseError) && !(cause instanceof CelTypeError)) throw cause
    const hint = cause.code === 'no_such_overload' ? MIXED_TYPES : undefined
    throw new ExpressionError(cause.summary, cause.range?.start ?? 0, hint)
  }
}

const CONVERSIONS = {
  bool: 'Compare it with something.',
  string: 'Convert it with string(…).',
  int: 'Convert it with int(…).',
}
const MIXED_TYPES =
  'Query, headers and path parameters are text: compare them with a value in quotes, or convert them with int(…).'

function reasonOf(cause: unknown): string {
  if (cause instanceof EvaluationError) return cause.summary
  return cause instanceof Error ? cause.message : String(cause)
}

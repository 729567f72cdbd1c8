/** The two CEL environments: one that checks a source as it was written, one that evaluates a plan over its slots. */
import { Environment } from '@marcbachmann/cel-js'
import type { Exchange } from './exchange.ts'
import { MAX_SLOTS, slotName } from './expression-plan.ts'
import { bounded, MAX_NAMES, variables, type Read, type Variable, type VariableType } from './expression-variables.ts'
import type { LinearPattern } from './linear-pattern.ts'

const limits = { maxAstNodes: 1000, maxDepth: 40, maxListElements: 200, maxMapEntries: 100, maxCallArguments: 4 }
const slotTypes: readonly VariableType[] = [
  ...(['string', 'int', 'bool', 'dyn', 'list<string>', 'map<string, string>', 'map', 'time'] as const),
]
const synchronous = { async: false }

/** What an evaluation works on. One for all, because an evaluation is synchronous and never starts another. */
class Evaluation {
  exchange: Exchange | undefined = undefined
  readers: readonly Read[] = []
  patterns: readonly LinearPattern[] = []
}

export const evaluation = new Evaluation()

/** Knows the variables by their names, so that mistakes are reported in the words of the source. */
export function createChecker(): Environment {
  const environment = new Environment({ limits }).registerVariable('now', toCelType('time'))
  for (const [name, group] of Object.entries(variables)) {
    const schema = Object.fromEntries(Object.entries(group).map(([field, { type }]) => [field, toCelType(type)]))
    environment.registerVariable({ name, schema })
  }
  return environment
}

/** Knows slots only; what it evaluates was checked before. A plan has more parentheses than its source. */
export function createRuntime(): Environment {
  const environment = new Environment({ limits: { ...limits, maxDepth: limits.maxAstNodes, maxAstNodes: 4000 } })
  for (let at = 0; at < MAX_SLOTS; at++) {
    for (const type of slotTypes) registerSlot(environment, slotName(type, at), toCelType(type), at)
    const matches = (text: string): boolean => evaluation.patterns[at]?.test(text) ?? false
    environment.registerFunction(`matches_${at}(string): bool`, matches, synchronous)
  }
  for (const variable of Object.values(variables).flatMap((group) => Object.values(group))) {
    registerLookUp(environment, variable)
  }
  return (
    environment
      .registerFunction('to_int(dyn): int', toInt, synchronous)
      .registerFunction('bounded_split(string, string): list<string>', split, synchronous)
      // A claim that has one value is often a text instead of a list, and a missing one is null.
      .registerOperator('string in string', (one: string, only: string) => one === only)
      .registerOperator('string in null', () => false)
  )
}

function registerSlot(environment: Environment, name: string, celType: string, at: number): void {
  environment.registerVariable(name, celType)
  Object.defineProperty(Evaluation.prototype, name, {
    get: () => (evaluation.exchange === undefined ? undefined : evaluation.readers[at]?.(evaluation.exchange)),
  })
}

function registerLookUp(environment: Environment, { at, lookUp, missing, ignoreCase }: Variable): void {
  if (at === undefined || lookUp === undefined) return
  const find = (name: string): unknown => {
    const { exchange } = evaluation
    const found = exchange && at(exchange, [ignoreCase === true ? name.toLowerCase() : name])
    return found ?? missing
  }
  environment.registerFunction(`${lookUp}(string): ${missing === null ? 'dyn' : 'string'}`, find, synchronous)
}

function split(text: string, separator: string): string[] {
  const pieces = text.split(separator, MAX_NAMES + 1)
  return bounded(pieces.length > MAX_NAMES ? undefined : pieces)
}

/** As CEL has it; the library's own takes an empty text for 0 and `0b11` for 3. */
function toInt(value: unknown): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'string' && /^-?\d{1,18}$/.test(value)) return BigInt(value)
  if (typeof value === 'number' && Number.isSafeInteger(Math.trunc(value))) return BigInt(Math.trunc(value))
  if (value instanceof Date) return BigInt(Math.floor(value.getTime() / 1000))
  throw new RangeError('int() of what is no number')
}

function toCelType(type: VariableType): string {
  return type === 'time' ? 'google.protobuf.Timestamp' : type
}

/**
 * What validating one request may cost. Patterns and schemas come from the operator, texts and nesting from anybody: a
 * schema that refers to itself from several alternatives is applied 2ⁿ times to a body that is nested n deep.
 */
import type { JsonValue } from '../../kernel/json.ts'
import { isList, isObject } from './json-shape.ts'

/** About ten milliseconds, whatever comes. */
const BASE_STEPS = 500_000
/** Whoever sends more may cost more: a plain pattern takes five steps for a character. */
const STEPS_PER_BYTE = 16
/** Steps for a value that a schema is applied to: that takes about as long as so many steps of a pattern. */
const STEPS_PER_VALUE = 10

export class StepsExhausted extends Error {
  override readonly name = 'StepsExhausted'
}

export class StepBudget {
  stepsLeft: number

  constructor(steps: number = BASE_STEPS) {
    this.stepsLeft = steps
  }

  /** Begins another request, with a body of so many bytes. */
  renew(bodyBytes: number): void {
    this.stepsLeft = BASE_STEPS + bodyBytes * STEPS_PER_BYTE
  }

  /** Pays for applying a schema to the value and all that it holds; throws StepsExhausted when that is too much. */
  spendOn(value: JsonValue): void {
    this.stepsLeft -= STEPS_PER_VALUE
    if (this.stepsLeft < 0) throw new StepsExhausted()
    if (isList(value)) for (const each of value) this.spendOn(each)
    else if (isObject(value)) for (const name in value) this.spendOn(value[name] ?? null)
  }
}

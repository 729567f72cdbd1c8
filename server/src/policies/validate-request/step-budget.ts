/**
 * What validating one request may cost. Patterns and schemas come from the operator, texts and nesting from anybody: a
 * schema that refers to itself from several alternatives is applied 2ⁿ times to a body that is nested n deep.
 */
import type { JsonValue } from '../../kernel/json.ts'
import { isList, isObject } from './json-shape.ts'

/** About ten milliseconds. */
const BASE_STEPS = 500_000
/** Whoever sends more may cost more: a pattern of a hundred instructions for every byte. */
const STEPS_PER_BYTE = 16
/** For a value that a schema is applied to, and for a pattern to begin with a text. */
const STEPS_PER_VALUE = 10
/**
 * What RE2 does for a character is mostly a step, whatever the pattern: it follows an automaton. Only where texts make that
 * grow without end it goes through all instructions, which takes some twenty times what is paid here.
 */
const INSTRUCTIONS_PER_STEP = 8
/** Writing a character costs about as much as running a pattern of this size over it. */
const INSTRUCTIONS_OF_WRITING = 32

export class StepsExhausted extends Error {
  override readonly name = 'StepsExhausted'
}

export class StepBudget {
  private stepsLeft = BASE_STEPS

  /** Begins another request, with a body of so many bytes. */
  renew(bodyBytes: number): void {
    this.stepsLeft = BASE_STEPS + bodyBytes * STEPS_PER_BYTE
  }

  /** Pays for running a pattern over a text; throws StepsExhausted when that is too much. */
  spendOnText(chars: number, instructions: number): void {
    this.spend(STEPS_PER_VALUE + (chars * instructions) / INSTRUCTIONS_PER_STEP)
  }

  /** Pays for writing so much of a value as text; throws StepsExhausted when that is too much. */
  spendOnWriting(chars: number): void {
    this.spendOnText(chars, INSTRUCTIONS_OF_WRITING)
  }

  /** Pays for applying a schema to the value and all that it holds; throws StepsExhausted when that is too much. */
  spendOn(value: JsonValue): void {
    this.spend(STEPS_PER_VALUE)
    if (isList(value)) for (const each of value) this.spendOn(each)
    else if (isObject(value)) for (const name in value) this.spendOn(value[name] ?? null)
  }

  private spend(steps: number): void {
    this.stepsLeft -= steps
    if (this.stepsLeft < 0) throw new StepsExhausted()
  }
}

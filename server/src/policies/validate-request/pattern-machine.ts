/**
 * Matches patterns in time linear in the text: all ways of matching are followed side by side (Thompson 1968), so none
 * has to be tried again. Look-around is answered beforehand for every position of the text, by matching its inner
 * pattern towards that position; that adds its own linear pass and nothing else.
 */
import { compileMachine, Op, type Machine } from './pattern-program.ts'
import type { Pattern } from './pattern-syntax.ts'
import { StepsExhausted, type StepBudget } from './step-budget.ts'

/** Compiles a pattern; throws an UnsupportedPattern when it is too large. */
export function createMachine(pattern: Pattern): Machine {
  return compileMachine(pattern, false)
}

/** Whether the pattern matches anywhere in the text; throws StepsExhausted when the budget ends before. */
export function matches(machine: Machine, text: string, budget: StepBudget): boolean {
  return new Run(machine, text, budget).findsMatch()
}

class Run {
  private readonly machine: Machine
  private readonly text: string
  private readonly budget: StepBudget
  private readonly looks: readonly Uint8Array[]
  /** The position at which an instruction was last reached, so that none is followed twice from one position. */
  private readonly reachedAt: Int32Array
  private readonly stack: number[] = []
  private waiting: number[] = []
  private reached: number[] = []
  private matched = false

  constructor(machine: Machine, text: string, budget: StepBudget) {
    this.machine = machine
    this.text = text
    this.budget = budget
    this.reachedAt = new Int32Array(machine.ops.length).fill(-1)
    this.looks = machine.looks.map((look) => new Run(look.machine, text, budget).findAll())
  }

  findsMatch(): boolean {
    const { anchored, start } = this.machine
    for (let at = 0; ; at = this.step(at)) {
      if (at === 0 || !anchored) this.follow(start, at)
      if (this.matched) return true
      if (at >= this.text.length || (anchored && this.waiting.length === 0)) return false
    }
  }

  /** 1 at every position that a match can end at, having begun anywhere before it in the machine's direction. */
  private findAll(): Uint8Array {
    const { text, machine } = this
    const found = new Uint8Array(text.length + 1)
    const last = machine.backward ? 0 : text.length
    for (let at = text.length - last; ; at = this.step(at)) {
      this.follow(machine.start, at)
      if (this.matched) found[at] = 1
      this.matched = false
      if (at === last) return found
    }
  }

  /** Reads the character at the position and gives the position behind it, in the machine's direction. */
  private step(at: number): number {
    const { text, machine } = this
    const { backward, tests, firsts, seconds } = machine
    const from = backward ? previousPosition(text, at) : at
    const codePoint = text.codePointAt(from) ?? 0
    const to = backward ? from : at + (codePoint > 0xffff ? 2 : 1)
    const reached = this.waiting
    this.waiting = this.reached
    this.reached = reached
    for (let i = 0; i < reached.length; i++) {
      const index = reached[i] ?? 0
      if (tests[seconds[index] ?? 0]?.(codePoint) === true) this.follow(firsts[index] ?? 0, to)
    }
    reached.length = 0
    return to
  }

  /** Goes on from an instruction without reading, up to those that wait for a character. */
  private follow(start: number, at: number): void {
    const { stack, reachedAt, machine } = this
    const { ops, firsts, seconds } = machine
    let depth = 0
    stack[depth++] = start
    while (depth > 0) {
      const index = stack[--depth] ?? 0
      if (reachedAt[index] === at) continue
      reachedAt[index] = at
      if (--this.budget.stepsLeft < 0) throw new StepsExhausted()
      const op = ops[index]
      if (op === Op.char) this.waiting.push(index)
      else if (op === Op.match) this.matched = true
      else if (op === Op.split) {
        stack[depth++] = seconds[index] ?? 0
        stack[depth++] = firsts[index] ?? 0
      } else if (this.passes(op, seconds[index] ?? 0, at)) stack[depth++] = firsts[index] ?? 0
    }
  }

  private passes(op: number | undefined, argument: number, at: number): boolean {
    if (op === Op.look) return (this.looks[argument]?.[at] === 1) !== (this.machine.looks[argument]?.negative === true)
    if (op === Op.start) return at === 0
    if (op === Op.end) return at === this.text.length
    const isBoundary = isWord(this.text, at - 1) !== isWord(this.text, at)
    return isBoundary === (op === Op.word)
  }
}

function previousPosition(text: string, at: number): number {
  const isPair = at >= 2 && (text.codePointAt(at - 2) ?? 0) > 0xffff
  return isPair ? at - 2 : at - 1
}

function isWord(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122)
}

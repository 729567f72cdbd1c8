/** A pattern as a program for `pattern-machine.ts`: instructions in flat arrays, counted repetitions written out. */
import { UnsupportedPattern, type CharTest, type Pattern } from './pattern-syntax.ts'

/** Instructions of one pattern. */
const MAX_INSTRUCTIONS = 20_000

/** What an instruction does before it goes on at its `first`. Its `second` is what stands behind the colon. */
export const Op = {
  /** Reads a character: number of the test that it must pass. */
  char: 0,
  /** Goes on at both: the other one. */
  split: 1,
  match: 2,
  /** Asks a look-around: its number. */
  look: 3,
  start: 4,
  end: 5,
  word: 6,
  inside: 7,
  /** Only while compiling: goes on at `first`. */
  jump: 8,
} as const

interface Look {
  readonly machine: Machine
  readonly negative: boolean
}

export interface Machine {
  readonly ops: Uint8Array
  readonly firsts: Int32Array
  readonly seconds: Int32Array
  readonly tests: readonly CharTest[]
  readonly looks: readonly Look[]
  readonly start: number
  /** Runs from the end of the text to its beginning. */
  readonly backward: boolean
  /** Can match at the beginning of the text only. */
  readonly anchored: boolean
}

export function compileMachine(pattern: Pattern, backward: boolean): Machine {
  const program = new Program(backward)
  program.add(pattern)
  return program.finish(!backward && startsAtEdge(pattern))
}

class Program {
  private readonly backward: boolean
  private readonly ops: number[] = []
  private readonly firsts: number[] = []
  private readonly seconds: number[] = []
  private readonly tests: CharTest[] = []
  private readonly looks: Look[] = []

  constructor(backward: boolean) {
    this.backward = backward
  }

  add(node: Pattern): void {
    if (node.is === 'char') this.emit(Op.char, this.tests.push(node.test) - 1)
    else if (node.is === 'edge') this.emit(Op[node.edge])
    else if (node.is === 'choice') this.addChoice(node.options)
    else if (node.is === 'repeat') this.addRepeat(node.inner, node.min, node.max)
    else if (node.is === 'sequence') {
      for (const part of this.backward ? node.parts.toReversed() : node.parts) this.add(part)
    } else {
      // A look ahead is matched from the end towards its position, a look behind from the beginning.
      const look = { machine: compileMachine(node.inner, !node.behind), negative: node.negative }
      this.emit(Op.look, this.looks.push(look) - 1)
    }
  }

  finish(anchored: boolean): Machine {
    this.emit(Op.match)
    // No jump is left to run: whatever leads to one leads to where it leads.
    const target = (index: number): number => (this.ops[index] === Op.jump ? target(this.firsts[index] ?? 0) : index)
    return {
      ops: Uint8Array.from(this.ops),
      firsts: Int32Array.from(this.firsts, target),
      seconds: Int32Array.from(this.seconds, (second, at) => (this.ops[at] === Op.split ? target(second) : second)),
      tests: this.tests,
      looks: this.looks,
      start: target(0),
      backward: this.backward,
      anchored,
    }
  }

  private addChoice(options: readonly Pattern[]): void {
    const ends: number[] = []
    for (const [at, option] of options.entries()) {
      const isLast = at === options.length - 1
      const choice = isLast ? undefined : this.emit(Op.split)
      this.add(option)
      if (choice === undefined) break
      ends.push(this.emit(Op.jump))
      this.seconds[choice] = this.ops.length
    }
    for (const end of ends) this.firsts[end] = this.ops.length
  }

  private addRepeat(inner: Pattern, min: number, max: number): void {
    for (let count = 0; count < min; count++) this.add(inner)
    if (max === Infinity) {
      const loop = this.emit(Op.split)
      this.add(inner)
      this.firsts[this.emit(Op.jump)] = loop
      this.seconds[loop] = this.ops.length
      return
    }
    const choices: number[] = []
    for (let count = min; count < max; count++) {
      choices.push(this.emit(Op.split))
      this.add(inner)
    }
    for (const choice of choices) this.seconds[choice] = this.ops.length
  }

  /** Adds an instruction that goes on at the next one, and gives its index. */
  private emit(op: number, second = 0): number {
    if (this.ops.length >= MAX_INSTRUCTIONS) throw new UnsupportedPattern('repetitions that are too large')
    this.firsts.push(this.ops.length + 1)
    this.seconds.push(second)
    return this.ops.push(op) - 1
  }
}

function startsAtEdge(pattern: Pattern): boolean {
  if (pattern.is === 'edge') return pattern.edge === 'start'
  return pattern.is === 'sequence' && pattern.parts[0] !== undefined && startsAtEdge(pattern.parts[0])
}

/**
 * Patterns of schemas that no text can stall. V8's engine backtracks: for `^(a+)+$` thirty letters take it minutes. Its
 * linear-time engine refuses `{1,63}`, the `u` flag and look-around, which schemas are full of. So a pattern runs on V8's
 * engine only for texts on which even its worst case is short, and else on our own machine, within a budget of steps.
 */
import { createMachine, matches } from './pattern-machine.ts'
import type { Machine } from './pattern-program.ts'
import { parsePattern, type Pattern } from './pattern-syntax.ts'
import type { StepBudget } from './step-budget.ts'

/** Ways of matching that V8's engine may be left to try for each character of a text: below a tenth of a microsecond. */
const MAX_WAYS = 100

/** V8 14.6 misses matches in texts with characters of two units: of /b[^a]$/u in 'b😀', for instance. */
const SURROGATE = /[\uD800-\uDFFF]/

export class PatternSet {
  private readonly budget: StepBudget
  private readonly patterns = new Map<string, SafePattern>()

  /** The budget is shared by all texts of a request. */
  constructor(budget: StepBudget) {
    this.budget = budget
  }

  /** Compiles a pattern; throws a SyntaxError or an UnsupportedPattern that says what is wrong. */
  compile(source: string): SafePattern {
    const known = this.patterns.get(source)
    if (known !== undefined) return known
    const pattern = new SafePattern(source, this.budget)
    this.patterns.set(source, pattern)
    return pattern
  }
}

/** In place of a RegExp. */
class SafePattern {
  private readonly source: string
  private readonly native: RegExp
  private readonly machine: Machine
  private readonly nativeChars: number
  private readonly budget: StepBudget

  constructor(source: string, budget: StepBudget) {
    const { pattern, native } = parsePattern(source)
    this.source = source
    this.native = native
    this.machine = createMachine(pattern)
    this.nativeChars = countNativeChars(pattern, this.machine.anchored)
    this.budget = budget
  }

  test(text: string): boolean {
    const isNative = text.length <= this.nativeChars && !SURROGATE.test(text)
    return isNative ? this.native.test(text) : matches(this.machine, text, this.budget)
  }

  /** Validators tell patterns apart by it. */
  toString(): string {
    return this.source
  }
}
export type { SafePattern }

/** Length of the longest text, as a power of two, that V8's engine is safe with. */
export function countNativeChars(pattern: Pattern, anchored: boolean): number {
  let safe = 0
  for (let chars = 1; chars <= 65_536; chars *= 2) {
    if (countWays(pattern, chars) * (anchored ? 1 : chars) > MAX_WAYS) return safe
    safe = chars
  }
  return safe
}

/** How many ways of matching a backtracking engine may try at one place of a text of so many characters, at most. */
function countWays(pattern: Pattern, chars: number): number {
  switch (pattern.is) {
    case 'char':
    case 'edge':
      return 1
    case 'look':
      return 1 + countWays(pattern.inner, chars)
    case 'sequence':
      return pattern.parts.reduce((ways, part) => ways * countWays(part, chars), 1)
    case 'choice':
      return pattern.options.reduce((ways, option) => ways + countWays(option, chars), 0)
    case 'repeat': {
      const ways = countWays(pattern.inner, chars)
      const most = Math.min(pattern.max, Math.max(chars, pattern.min))
      const lengths = most - pattern.min + 1
      return ways === 1 ? lengths : lengths * ways ** most
    }
  }
}

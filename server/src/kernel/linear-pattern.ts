/**
 * Patterns of operators, run over texts of anybody. V8's engine backtracks: for `^(a+)+$` thirty letters take it minutes.
 * RE2 takes time linear in the text for all that it accepts: at most a step for each character and instruction.
 */
import type * as Re2 from 're2js'
import { loadWhenNeeded } from './load-when-needed.ts'
import { PatternError } from './pattern-error.ts'
import { toRe2 } from './pattern-translation.ts'

const re2 = loadWhenNeeded<typeof Re2>('re2js')

export interface LinearPattern {
  /** How much of a program each character of a text may have to go through. */
  readonly instructions: number
  readonly test: (text: string) => boolean
}

/** Schemas have patterns of ECMA-262 (JSON Schema 2020-12 §6.4), CEL those of RE2. */
export type PatternSyntax = 'ecma' | 're2'

/** RE2 itself stops at 1.4 million. `{1,63}` takes 126; CEL has fewer, because no budget is spent on its evaluations. */
const maxInstructions = { ecma: 1000, re2: 300 }

const ESCAPE = String.raw`\\(?:u\{[^}]*\}|u[\dA-Fa-f]{4}|x..|c.|[pP]\{[^}]*\}|[^1-9bBckpPux])`
const ATOM = String.raw`(?:${ESCAPE}|\[(?:[^\]\\]|\\.)*\]|[^\\^$*+?()[\]{}|])`
/**
 * Patterns such as `^[a-z]{1,63}$`: without groups, bound to the beginning, and of a length that varies at the first and
 * the last place only. There V8 reads no character more than twice, is ten times faster than RE2 and counts beyond RE2's
 * 1,000. More than five digits could exhaust its stack.
 */
const PLAIN = new RegExp(
  String.raw`^\^(?:${ATOM}\?)?(?:${ATOM}(?:\{\d{1,5}\})?)*(?:${ATOM}\{\d{1,5},\d{1,5}\})?\$?$`,
  'us',
)

/** Compiles a pattern; throws a PatternError when it is none, or none that can be matched in linear time. */
export function compilePattern(source: string, syntax: PatternSyntax): LinearPattern {
  if (syntax === 're2') return compileRe2(source, syntax)
  const native = compileNative(source)
  if (native.unicode && PLAIN.test(source)) return { instructions: 1, test: (text) => native.test(text) }
  return compileRe2(re2().RE2JS.translateRegExp(toRe2(source)), syntax)
}

function compileRe2(source: string, syntax: PatternSyntax): LinearPattern {
  const run = attempt(() => re2().RE2JS.compile(source))
  const instructions = run.programSize()
  const most = maxInstructions[syntax]
  if (instructions <= most) return { instructions, test: (text) => run.test(text) }
  throw new PatternError(`its repetitions make ${instructions} instructions of it, more than ${most}`)
}

/** The standard asks for the `u` flag; patterns that are valid only without it are common and accepted. */
function compileNative(source: string): RegExp {
  try {
    return new RegExp(source, 'u')
  } catch {
    // What is wrong without the flag, too, is said by the second attempt.
    return attempt(() => new RegExp(source))
  }
}

function attempt<T>(compile: () => T): T {
  try {
    return compile()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new PatternError(reason.replace(/^error parsing regexp/, 'RE2 cannot match it'), { cause })
  }
}

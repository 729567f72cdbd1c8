/**
 * Patterns of `matches()`: only such as V8's linear-time engine can run, so that no input makes one run long.
 *
 * The common case runs on V8's usual engine, which is twenty times faster; with the second flag V8 gives up on it
 * after a bounded number of backtracks and goes on with the linear engine. Whether the linear engine can run a pattern
 * (no look-around, back references, case-insensitive flag or large counted repetition) is asked for by its `l` flag.
 */
import { setFlagsFromString } from 'node:v8'

/** Not in any standard yet; V8 knows it once the first of the two flags is set. */
const LINEAR = 'l'

let linearTime = false

/** Compiles a pattern; throws a SyntaxError that says so when it is no pattern or may need more than linear time. */
export function compilePattern(pattern: string): RegExp {
  if (!linearTime) {
    setFlagsFromString('--enable-experimental-regexp-engine')
    setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks')
    linearTime = true
  }
  const compiled = new RegExp(pattern)
  requireLinear(pattern)
  return compiled
}

function requireLinear(pattern: string): void {
  try {
    new RegExp(pattern, LINEAR)
  } catch (cause) {
    throw new SyntaxError(
      'The pattern cannot be matched in linear time: leave out look-around, back references and large repetition counts',
      { cause },
    )
  }
}

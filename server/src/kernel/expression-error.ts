/** What can be wrong with an expression: its source, when it is compiled, or a value, when it is evaluated. */

/** A source that cannot be compiled. */
export class ExpressionError extends Error {
  /** Offset of the first wrong character, from 0. */
  readonly position: number
  /** What to write instead, as a sentence. */
  readonly hint: string | undefined

  constructor(problem: string, position: number, hint?: string) {
    super(`${problem} at character ${position + 1}${hint === undefined ? '' : `. ${hint}`}`)
    this.name = 'ExpressionError'
    this.position = position
    this.hint = hint
  }
}

/**
 * An evaluation that failed, e.g. `int('x')`. It is thrown and never taken for a value: a `when` that cannot be
 * answered must neither skip its policy nor let the request pass.
 */
export class ExpressionFault extends Error {
  constructor(source: string, reason: string, cause?: unknown) {
    super(`Expression failed: ${reason} in ${source}`, { cause })
    this.name = 'ExpressionFault'
  }
}

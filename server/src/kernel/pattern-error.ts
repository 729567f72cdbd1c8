/** What was given as a pattern is none, or none that can be matched in linear time; the message says why. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}

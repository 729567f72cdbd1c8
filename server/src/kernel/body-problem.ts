/** Why a body broke off, when the reason is a problem that the caller can be told: too large, malformed, too slow. */
import type { Problem } from './problem.ts'

export class BodyProblem extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.definition.code)
    this.problem = problem
  }
}

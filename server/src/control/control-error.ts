/** The one error of the control plane: carries a problem from wherever it is found to `dispatch.ts`, which answers it. */
import type { Problem } from '../kernel/problem.ts'

export class ControlError extends Error {
  override readonly name = 'ControlError'
  readonly problem: Problem

  constructor(problem: Problem) {
    super(`${problem.definition.code}: ${problem.detail ?? problem.definition.title}`, { cause: problem.cause })
    this.problem = problem
  }
}

/** Throws the problem. */
export function refuse(problem: Problem): never {
  throw new ControlError(problem)
}

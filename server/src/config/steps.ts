/** Work that may rest after each of its steps: whoever lets it run decides whether others have their turn in between. */
export type Steps<Result> = Generator<void, Result, void>

export function runAtOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

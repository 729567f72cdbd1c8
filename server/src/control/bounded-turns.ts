/** Turns at work that is dear: some at once, some more waiting, and whoever comes beyond that is told to come again. */
import { refuse } from './control-error.ts'
import type { Problem } from '../kernel/problem.ts'

interface TurnOptions {
  readonly mostAtOnce: number
  readonly mostWaiting: number
  /** What is answered when too many wait already. */
  readonly busy: () => Problem
}

type InTurn = <Result>(work: () => Promise<Result>) => Promise<Result>

export function createBoundedTurns({ mostAtOnce, mostWaiting, busy }: TurnOptions): InTurn {
  const waiting: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (running < mostAtOnce) running++
    else {
      if (waiting.length >= mostWaiting) refuse(busy())
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      // The turn is handed over, so that nobody slips in between.
      if (next === undefined) running--
      else next()
    }
  }
}

/**
 * Turns at work that is dear: some at once, some more waiting, and whoever comes beyond that is told to come again. Those for
 * whom the least is being done are served first, in their order, so that nobody keeps all others waiting.
 */
import { refuse } from './control-error.ts'
import type { Problem } from '../kernel/problem.ts'

interface TurnOptions {
  readonly mostAtOnce: number
  readonly mostWaiting: number
  /** Of one and the same, when it is said whose they are; default: as many as of all. */
  readonly mostWaitingOfOne?: number
  /** What is answered when too many wait already. */
  readonly busy: () => Problem
}

/** `whose` says for whom it is, such as a workspace. */
type InTurn = <Result>(work: () => Promise<Result>, whose?: string) => Promise<Result>

interface Waiting {
  readonly whose: string | undefined
  readonly begin: () => void
}

export function createBoundedTurns(options: TurnOptions): InTurn {
  const { mostAtOnce, mostWaiting, mostWaitingOfOne = mostWaiting, busy } = options
  const waiting: Waiting[] = []
  /** Of each turn that is taken, whose it is. */
  const running: (string | undefined)[] = []
  const countRunning = ({ whose }: Waiting): number => running.filter((each) => each === whose).length
  const takeNext = (): Waiting | undefined => {
    const [next] = waiting.toSorted((a, b) => countRunning(a) - countRunning(b))
    if (next !== undefined) waiting.splice(waiting.indexOf(next), 1)
    return next
  }
  return async (work, whose) => {
    if (running.length < mostAtOnce) running.push(whose)
    else {
      const ofOne = whose === undefined ? 0 : waiting.filter((each) => each.whose === whose).length
      if (waiting.length >= mostWaiting || ofOne >= mostWaitingOfOne) refuse(busy())
      await new Promise<void>((begin) => waiting.push({ whose, begin }))
    }
    try {
      return await work()
    } finally {
      running.splice(running.indexOf(whose), 1)
      const next = takeNext()
      // The turn is handed over, so that nobody slips in between.
      if (next !== undefined) {
        running.push(next.whose)
        next.begin()
      }
    }
  }
}

import { StoreUnavailableError } from './errors.ts'

/** Lets work in until it is closed; who closes it waits for what is inside. */
export interface Gate {
  readonly enter: <T>(work: () => Promise<T>) => Promise<T>
  /** True for the one who closed it. */
  readonly close: () => Promise<boolean>
}

export function createGate(): Gate {
  const inside = new Set<Promise<unknown>>()
  let isClosed = false
  return {
    enter: (work) => {
      if (isClosed) return Promise.reject(new StoreUnavailableError('The store is closed.'))
      const done = work()
      const leave = (): void => void inside.delete(done)
      inside.add(done)
      done.then(leave, leave)
      return done
    },
    close: async () => {
      const isFirst = !isClosed
      isClosed = true
      await Promise.allSettled(inside)
      return isFirst
    },
  }
}

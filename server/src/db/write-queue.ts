/**
 * The writes of this process, one after the other in the order in which they were asked for. Nearly every change ends
 * with an entry in the one chain of the audit, so writes side by side would only undo each other.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { StoreUnavailableError } from './errors.ts'

export interface WriteQueue {
  readonly enter: <T>(write: () => Promise<T>) => Promise<T>
  /** Refuses further writes and waits for those that were asked for; true for the one who closed it. */
  readonly close: () => Promise<boolean>
}

interface Turn {
  isOver: boolean
}

export function createWriteQueue(): WriteQueue {
  const turns = new AsyncLocalStorage<Turn>()
  let last: Promise<unknown> = Promise.resolve()
  let isClosed = false

  const take = async <T>(write: () => Promise<T>): Promise<T> => {
    const turn: Turn = { isOver: false }
    try {
      return await turns.run(turn, write)
    } finally {
      turn.isOver = true
    }
  }
  return {
    enter: async (write) => {
      if (isClosed) throw new StoreUnavailableError('The store is closed.')
      // Something that a write set off may well write later; only within it would it wait for itself.
      if (turns.getStore()?.isOver === false) throw new Error('A write cannot begin within another write.')
      const done = last.then(() => take(write))
      last = done.catch(() => undefined)
      return done
    },
    close: async () => {
      const isFirst = !isClosed
      isClosed = true
      await last
      return isFirst
    },
  }
}

/** A process for a document may take gigabytes and a minute, so only few run at once, whoever asks for them. */
import { createBoundedTurns } from '../bounded-turns.ts'
import { documentsBusy } from './document-problems.ts'

export const inChildTurn = createBoundedTurns({
  mostAtOnce: 2,
  mostWaiting: 32,
  // A workspace that sends what takes long leaves room for the others.
  mostWaitingOfOne: 8,
  busy: () => documentsBusy({ headers: { 'retry-after': '10' } }),
})

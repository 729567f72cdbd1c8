/** Request ids: unguessable prefix of the thread, then a counter. 32 hex digits, so that one can serve as a trace id. */
import { randomBytes } from 'node:crypto'

const COUNTER_DIGITS = 8

/** Makes a generator of ids; one per thread. A new random prefix is drawn when the counter is used up. */
export function createIdGenerator(random: (bytes: number) => Buffer = randomBytes): () => string {
  let prefix = random(12).toString('hex')
  let next = 0
  return () => {
    if (next > 0xffffffff) {
      prefix = random(12).toString('hex')
      next = 0
    }
    const digits = (next++).toString(16)
    return prefix + '00000000'.slice(digits.length, COUNTER_DIGITS) + digits
  }
}

/** Request ids: unguessable prefix of the thread, then a counter. 32 hex digits, so that one can serve as a trace id. */
import { randomBytes } from 'node:crypto'

const RANDOM_BYTES = 12
const COUNTER_BYTES = 4
const LAST_BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * Makes a generator of ids; one per thread. A new random prefix is drawn when the counter is used up. An id is written
 * three times, to the upstream, the client and the log, so it has two pieces: all but the last byte is made once for 256.
 */
export function createIdGenerator(random: (bytes: number) => Buffer = randomBytes): () => string {
  const bytes = Buffer.alloc(RANDOM_BYTES + COUNTER_BYTES - 1)
  let begin = ''
  let next = 0
  return () => {
    const last = next & 0xff
    if (last === 0) {
      if (next > 0xffffffff) next = 0
      if (next === 0) random(RANDOM_BYTES).copy(bytes)
      bytes.writeUIntBE(next / 256, RANDOM_BYTES, COUNTER_BYTES - 1)
      begin = bytes.toString('hex')
    }
    next++
    return begin + (LAST_BYTES[last] ?? '')
  }
}

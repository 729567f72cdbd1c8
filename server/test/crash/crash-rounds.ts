/**
 * Kills something that writes, again and again at moments that nobody chose, and looks each time at what is left. What
 * writes, and how one looks, is the subject's: a store, a control plane with its admin API.
 */

/** Numbers from 0 to below 1, the same for the same seed. */
export type Random = () => number

export interface CrashHistory {
  /** Changes that were acknowledged: they must be there, whole. */
  readonly acknowledged: ReadonlySet<number>
  /** Changes that were under way when it died: there, whole, or not at all. */
  readonly unknown: ReadonlySet<number>
}

export interface CrashSubject {
  /** Starts what will be killed; resolves when it takes changes. */
  start(): Promise<void>
  /** Makes the change of this number; resolves when it is acknowledged, rejects when that was not heard. */
  change(id: number, random: Random): Promise<void>
  /** At once, as `kill -9` and a failing machine do. */
  kill(): Promise<void>
  /** What is wrong with what is left, in sentences. */
  check(history: CrashHistory): Promise<readonly string[]>
}

export interface CrashOptions {
  readonly subject: CrashSubject
  readonly rounds: number
  readonly seed: number
  /** Hears after each round how many changes were acknowledged until then, and how many are unknown. */
  readonly onRound?: (round: number, history: CrashHistory) => void
}

const writers = 4
const maxAcknowledgedPerRound = 20
const maxKillDelayMs = 8

/** Ends with the first round that left something wrong, and says what; the same seed makes the same changes again. */
export async function runCrashRounds({ subject, rounds, seed, onRound }: CrashOptions): Promise<CrashHistory> {
  const random = createRandom(seed)
  const acknowledged = new Set<number>()
  const unknown = new Set<number>()
  for (let round = 1; round <= rounds; round++) {
    await subject.start()
    await writeUntilKilled(subject, random, acknowledged, unknown)
    const findings = await subject.check({ acknowledged, unknown })
    if (findings.length > 0) throw new Error(`Round ${round} of seed ${seed}: ${findings.slice(0, 5).join(' ')}`)
    onRound?.(round, { acknowledged, unknown })
  }
  return { acknowledged, unknown }
}

/** Several write at once, each the next change as soon as its last was acknowledged. */
async function writeUntilKilled(
  subject: CrashSubject,
  random: Random,
  acknowledged: Set<number>,
  unknown: Set<number>,
): Promise<void> {
  const enough = acknowledged.size + 1 + Math.floor(random() * maxAcknowledgedPerRound)
  const reached = Promise.withResolvers<void>()
  let isKilled = false
  const write = async (): Promise<void> => {
    while (!isKilled) {
      const id = acknowledged.size + unknown.size
      unknown.add(id)
      try {
        await subject.change(id, random)
      } catch (error) {
        // Only a kill may keep a change from being acknowledged.
        if (!isKilled) reached.reject(error)
        return
      }
      unknown.delete(id)
      acknowledged.add(id)
      if (acknowledged.size >= enough) reached.resolve()
    }
  }
  const writing = Promise.all(Array.from({ length: writers }, write))
  try {
    await reached.promise
    await new Promise((resolve) => setTimeout(resolve, random() * maxKillDelayMs))
  } finally {
    isKilled = true
    await subject.kill()
  }
  await writing
}

/** Mulberry32: 32 bits of state are plenty to vary a test. */
function createRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

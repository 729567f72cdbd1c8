/**
 * The counts of quotas on disk, so that a restart does not forget the month: a line is appended for each count that has
 * changed, the last one of a name counts, and the file is written anew once most of its lines are outdated. It is not
 * synced: what a machine that loses power had not written is lost, at most some seconds.
 */
import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { QuotaState } from '../../kernel/quotas.ts'

/** Lines that may be outdated before the file is written anew: some, and so many for each that counts. */
const SPARE_LINES = 10_000
const SPARE_LINES_PER_STATE = 4

export class QuotaFile {
  private readonly path: string
  /** Lines of the file; infinite when they are not known, so that it is written anew. */
  private lines = Infinity

  constructor(path: string) {
    this.path = path
  }

  /** What was saved last; nothing when there is no file. Lines that were cut off or damaged are passed over. */
  async read(): Promise<QuotaState[]> {
    let text: string
    try {
      text = await readFile(this.path, 'utf8')
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return []
      throw cause
    }
    const states = new Map<string, QuotaState>()
    for (const line of text.split('\n')) {
      const state = parseLine(line)
      if (state !== undefined) states.set(JSON.stringify(toParts(state).slice(0, 4)), state)
    }
    return [...states.values()]
  }

  /** Saves what has changed; `live` has everything that counts, for when the file is written anew. */
  async save(
    changes: readonly QuotaState[],
    live: { readonly size: number; states(): readonly QuotaState[] },
  ): Promise<void> {
    if (changes.length === 0) return
    const lines = this.lines + changes.length
    // Whatever fails from here on may have left half a line.
    this.lines = Infinity
    if (lines > SPARE_LINES + live.size * SPARE_LINES_PER_STATE) {
      this.lines = await this.replace(live.states())
    } else {
      await appendFile(this.path, toText(changes))
      this.lines = lines
    }
  }

  private async replace(states: readonly QuotaState[]): Promise<number> {
    await mkdir(dirname(this.path), { recursive: true })
    const next = `${this.path}.next`
    await writeFile(next, toText(states))
    await rename(next, this.path)
    return states.length
  }
}

function toText(states: readonly QuotaState[]): string {
  return states.map((state) => `${JSON.stringify(toParts(state))}\n`).join('')
}

function toParts({ policy, key, periodStartMs, periodEndMs, own, others }: QuotaState): (string | number)[] {
  return [policy, key, periodStartMs, periodEndMs, own, others]
}

function parseLine(line: string): QuotaState | undefined {
  let parts: unknown
  try {
    parts = JSON.parse(line)
  } catch {
    // The last line of a process that was killed while it wrote.
    return undefined
  }
  if (!Array.isArray(parts) || parts.length !== 6) return undefined
  const [policy, key, ...numbers]: readonly unknown[] = parts
  const [periodStartMs, periodEndMs, own, others] = numbers.filter((each) => Number.isSafeInteger(each)).map(Number)
  if (typeof policy !== 'string' || typeof key !== 'string' || periodStartMs === undefined) return undefined
  if (periodEndMs === undefined || own === undefined || others === undefined || own < 0 || others < 0) return undefined
  return { policy, key, periodStartMs, periodEndMs, own, others }
}

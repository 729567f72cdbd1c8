/**
 * The compiled configuration of every environment in memory, followed from the store: what gateways ask for is answered
 * from here. A change is heard of at once when this process made it, by a hint of the store when another one did, and
 * by looking in any case: hints may get lost.
 */
import { SnapshotTree, toSignedText, type SnapshotChange } from '../../kernel/snapshot-tree.ts'
import type { Log } from '../../kernel/log.ts'
import type { Database } from '../../db/client.ts'

/** One state of an environment's snapshot. */
export interface PublishedSnapshot {
  readonly environment: string
  /** Grows with every change. */
  readonly seq: number
  /** The hash of the whole: its version. */
  readonly root: string
  /** Ed25519 over environment, seq and root, in base64. */
  readonly signature: string
}

interface Step {
  readonly from: string
  readonly change: SnapshotChange
}

interface Followed {
  /** Of the environment: another one may get its name. */
  readonly id: string
  readonly tree: SnapshotTree
  published: Omit<PublishedSnapshot, 'signature'>
  /** The latest changes, the newest last. */
  readonly steps: Step[]
  readonly waiting: Set<() => void>
}

const LOOK_MS = 500
/** A gateway that is further behind compares buckets. */
const MOST_STEPS = 200
/** In all steps together: what they hold is mostly no longer in the tree, so large changes would add up to gigabytes. */
const MOST_STEP_LINES = 20_000
const HINT_CHANNEL = 'headgate_snapshots'

export class SnapshotFeed {
  private readonly database: Database
  private readonly log: Log
  private readonly sign: (text: string) => string
  private readonly followed = new Map<string, Followed>()
  private timer: NodeJS.Timeout | undefined
  private stopListening: (() => Promise<void>) | undefined
  private looking: Promise<void> | undefined
  private lookAgain = false

  constructor(database: Database, log: Log, sign: (text: string) => string) {
    this.database = database
    this.log = log
    this.sign = sign
  }

  /** Reads everything once, then follows. */
  async start(): Promise<void> {
    await this.look()
    this.stopListening = await this.database.listen(HINT_CHANNEL, () => this.refresh())
    this.timer = setInterval(() => this.refresh(), LOOK_MS)
  }

  async close(): Promise<void> {
    clearInterval(this.timer)
    await this.stopListening?.()
    await this.looking?.catch(() => undefined)
    for (const followed of this.followed.values()) wakeAll(followed)
  }

  /** A transaction of this process changed the environment and has been committed. */
  hint(environment: string): void {
    this.refresh()
    this.database.notify(HINT_CHANNEL, environment).catch((cause: unknown) => {
      this.log.debug({ err: cause }, 'other control processes were not told of a change and will see it by themselves')
    })
  }

  /** Signed with the key of the moment: that may change while the snapshot does not. */
  current(environment: string): PublishedSnapshot | undefined {
    const published = this.followed.get(environment)?.published
    if (published === undefined) return undefined
    const text = toSignedText(environment, published.seq, published.root)
    return { ...published, signature: this.sign(text) }
  }

  treeOf(environment: string): SnapshotTree | undefined {
    return this.followed.get(environment)?.tree
  }

  /** What leads from the state `root` to the current one; undefined when that state is too old or unknown. */
  changeSince(environment: string, root: string): SnapshotChange | undefined {
    const followed = this.followed.get(environment)
    if (followed === undefined) return undefined
    if (followed.published.root === root) return { removed: [], lines: [] }
    const start = followed.steps.findLastIndex(({ from }) => from === root)
    return start === -1 ? undefined : mergeChanges(followed.steps.slice(start).map(({ change }) => change))
  }

  /** Resolves as soon as the environment is at another state than `root`, or the signal says that nobody waits any more. */
  async waitForChange(environment: string, root: string, signal: AbortSignal): Promise<void> {
    const followed = this.followed.get(environment)
    if (followed === undefined || followed.published.root !== root || signal.aborted) return
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        followed.waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      followed.waiting.add(wake)
      signal.addEventListener('abort', wake)
    })
  }

  /** Looks now, and once more when a look is going on: it may have begun before the change. */
  private refresh(): void {
    if (this.looking !== undefined) {
      this.lookAgain = true
      return
    }
    this.looking = this.look()
      .catch((cause: unknown) => {
        this.log.error({ err: cause }, 'the store cannot be read; gateways go on with the snapshot that they have')
      })
      .finally(() => {
        this.looking = undefined
        if (!this.lookAgain) return
        this.lookAgain = false
        this.refresh()
      })
  }

  private async look(): Promise<void> {
    const rows = await this.database.read.selectFrom('environments').select(['id', 'name', 'snapshot_seq']).execute()
    for (const [name, { id }] of this.followed) if (!rows.some((row) => row.id === id)) this.forget(name)
    for (const { id, name, snapshot_seq: seq } of rows) {
      const known = this.followed.get(name)
      if (known === undefined || known.published.seq !== seq) await this.follow(name, id, known)
    }
  }

  private async follow(environment: string, id: string, known: Followed | undefined): Promise<void> {
    const since = known?.published.seq ?? -1
    const rows = await this.database.read
      .selectFrom('snapshot_lines')
      .select(['key', 'line', 'seq'])
      .where('environment', '=', environment)
      .where('seq', '>', since)
      .execute()
    const removed = rows.filter(({ line }) => line === '').map(({ key }) => key)
    const lines = rows.filter(({ line }) => line !== '').map(({ key, line }) => ({ key, line }))
    const change: SnapshotChange = { removed, lines }
    const tree = known?.tree ?? new SnapshotTree()
    tree.apply(change)
    // More may have been committed since the number was read, so it comes from the rows.
    const seq = rows.reduce((most, row) => Math.max(most, row.seq), Math.max(since, 0))
    const root = tree.root()
    const published = { environment, seq, root }
    if (known === undefined) {
      this.followed.set(environment, { id, tree, published, steps: [], waiting: new Set() })
      return
    }
    known.steps.push({ from: known.published.root, change })
    forgetOldSteps(known.steps)
    known.published = published
    wakeAll(known)
  }

  private forget(environment: string): void {
    const followed = this.followed.get(environment)
    this.followed.delete(environment)
    if (followed !== undefined) wakeAll(followed)
  }
}

function forgetOldSteps(steps: Step[]): void {
  const linesOf = ({ change }: Step): number => change.lines.length + change.removed.length
  let lines = steps.reduce((sum, step) => sum + linesOf(step), 0)
  while (steps.length > MOST_STEPS || lines > MOST_STEP_LINES) {
    const oldest = steps.shift()
    lines -= oldest === undefined ? 0 : linesOf(oldest)
  }
}

/** Whoever wakes leaves the set, which a walk over it allows. */
function wakeAll({ waiting }: Followed): void {
  for (const wake of waiting) wake()
}

/** Several changes in a row as one; of each key the last word counts. */
function mergeChanges(changes: readonly SnapshotChange[]): SnapshotChange {
  const lines = new Map<string, string | undefined>()
  for (const change of changes) {
    for (const key of change.removed) lines.set(key, undefined)
    for (const { key, line } of change.lines) lines.set(key, line)
  }
  const removed = [...lines].flatMap(([key, line]) => (line === undefined ? [key] : []))
  return { removed, lines: [...lines].flatMap(([key, line]) => (line === undefined ? [] : [{ key, line }])) }
}

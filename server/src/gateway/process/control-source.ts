/**
 * Configuration from a control plane: pulled, checked against its signed hash, kept on disk. Control may go away at any
 * time; the gateway serves what it has and asks again.
 */
import type { Log } from '../../kernel/log.ts'
import {
  bucketsAnswer,
  snapshotAnswer,
  type BucketsAnswer,
  type SnapshotAnswer,
} from '../../kernel/control-protocol.ts'
import { SnapshotTree, toSignedText } from '../../kernel/snapshot-tree.ts'
import { NO_FILES } from '../../config/file-states.ts'
import { HEADER_KEY } from '../../config/snapshot-lines.ts'
import type { ListenerSpec, UpstreamSpec } from '../../kernel/snapshot.ts'
import type { Compiled, CompileOutcome, ConfigSource, ProcessState } from './config-source.ts'
import { ControlLink } from './control-link.ts'
import { ControlReports } from './control-reports.ts'
import type { SignedRoot, SnapshotKeeper } from './kept-snapshot.ts'
import type { NodeIdentity } from './node-identity.ts'
import type { TrustedKey } from './trusted-key.ts'
import type { ReportPart } from './report-part.ts'

export interface ControlSourceOptions {
  readonly urls: readonly string[]
  readonly identity: NodeIdentity
  readonly trusted: TrustedKey
  readonly keeper: SnapshotKeeper
  /** Version of Headgate. */
  readonly version: string
  readonly log: Log
}

const WAIT_SECONDS = 25
const MOST_PAUSE_MS = 5_000
const KEEP_MS = 100

export class ControlSource implements ConfigSource {
  private readonly options: ControlSourceOptions
  private readonly stopped = new AbortController()
  private readonly link: ControlLink
  private readonly reports: ControlReports
  private tree = new SnapshotTree()
  private signed: SignedRoot | undefined
  /** Of the last snapshot that was right. */
  private current: Compiled | undefined
  private changed = (): void => undefined
  private pulling: Promise<void> | undefined
  private isAway = false
  private keeping: NodeJS.Timeout | undefined

  constructor(options: ControlSourceOptions) {
    this.options = options
    const { urls, identity, version, log } = options
    this.link = new ControlLink({ urls, token: identity.token, stopped: this.stopped.signal })
    this.reports = new ControlReports({ link: this.link, version, log })
    this.readKept()
  }

  /** Resolves with what is there; at the very first start, when control has given one. Rejects when it is closed before. */
  async read(): Promise<CompileOutcome> {
    for (;;) {
      if (this.current !== undefined) return this.current
      this.stopped.signal.throwIfAborted()
      await this.pullOnce(0)
    }
  }

  follow(changed: () => void, state: () => ProcessState, parts: readonly ReportPart[]): void {
    this.changed = changed
    this.pulling ??= this.pull()
    this.reports.begin(state, parts)
  }

  async close(): Promise<void> {
    this.reports.stop()
    this.stopped.abort()
    await this.pulling
    if (this.keeping !== undefined) this.keep()
  }

  private readKept(): void {
    try {
      const kept = this.options.keeper.read()
      if (kept === undefined) return
      const { environment, seq, root, signature } = kept.signed
      const isRight = this.options.trusted.wasSigned(toSignedText(environment, seq, root), signature)
      this.check(kept.signed, isRight)
      this.tree = kept.tree
      this.signed = kept.signed
      this.current = toCompiled(kept.tree)
    } catch (cause) {
      this.options.log.error(
        { err: cause },
        'the snapshot that was kept cannot be used; control is asked for a new one',
      )
    }
  }

  private async pull(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      const root = this.signed?.root
      await this.pullOnce(WAIT_SECONDS)
      if (this.signed?.root !== root) this.changed()
    }
  }

  /** Asks once; when control is away, waits a little and says so once. */
  private async pullOnce(waitSeconds: number): Promise<void> {
    try {
      const after = this.signed === undefined ? '' : `after=${this.signed.root}&`
      const answer = await this.link.ask(`snapshot?${after}waitSeconds=${waitSeconds}`, undefined, waitSeconds)
      await this.take(snapshotAnswer.parse(answer))
      if (this.isAway) this.options.log.info('the control plane is back')
      this.isAway = false
    } catch (cause) {
      if (this.stopped.signal.aborted) return
      if (!this.isAway) {
        this.options.log.warn({ err: cause }, 'the control plane cannot be asked; what is running goes on')
      }
      this.isAway = true
      await this.pause()
    }
  }

  private async take(answer: SnapshotAnswer): Promise<void> {
    if (answer.kind === 'same') return
    if (answer.kind === 'unknown') return this.takeBuckets()
    this.check(answer, this.isSigned(answer))
    if (answer.kind === 'whole') this.tree = new SnapshotTree()
    this.tree.apply(answer)
    // What is here may have been damaged, or the change was not the whole one: the buckets tell.
    if (this.tree.root() !== answer.root) return this.takeBuckets()
    this.adopt(answer)
  }

  private async takeBuckets(): Promise<void> {
    const body = { hashes: this.tree.bucketHashes() }
    const answer: BucketsAnswer = bucketsAnswer.parse(await this.link.ask('snapshot/buckets', body, 0))
    this.check(answer, this.isSigned(answer))
    for (const { index, lines } of answer.buckets) {
      const kept = new Set(lines.map(({ key }) => key))
      const removed = this.tree.linesOfBucket(index).flatMap(({ key }) => (kept.has(key) ? [] : [key]))
      this.tree.apply({ removed, lines })
    }
    if (this.tree.root() !== answer.root) throw new Error('the snapshot of control does not have the hash that it says')
    this.adopt(answer)
  }

  /** Throws unless control signed it, for this environment, and it is not older than what is here. */
  private check({ environment, seq }: SignedRoot, isSigned: boolean): void {
    const { identity } = this.options
    if (!isSigned) throw new Error('the snapshot is not signed by the control plane that this gateway joined')
    if (environment !== identity.environment) throw new Error(`the snapshot is for ${environment}`)
    if (this.signed !== undefined && seq < this.signed.seq)
      throw new Error('the snapshot is older than the running one')
  }

  private isSigned({ environment, seq, root, signature, signers }: SnapshotAnswer | BucketsAnswer): boolean {
    return this.options.trusted.isSigned(toSignedText(environment, seq, root), signature, signers)
  }

  private adopt({ environment, seq, root, signature }: SignedRoot): void {
    this.signed = { environment, seq, root, signature }
    this.current = toCompiled(this.tree)
    this.keeping ??= setTimeout(() => this.keep(), KEEP_MS)
  }

  /** Written after the change is live, and once for several in a row. */
  private keep(): void {
    clearTimeout(this.keeping)
    this.keeping = undefined
    if (this.signed === undefined || this.current === undefined) return
    try {
      this.options.keeper.write(this.signed, this.current.lines)
    } catch (cause) {
      this.options.log.error({ err: cause }, 'the snapshot cannot be kept on disk')
    }
  }

  private async pause(): Promise<void> {
    // Spread, so that a control plane that comes back is not met by all gateways at once.
    const pauseMs = 200 + Math.random() * (MOST_PAUSE_MS - 200)
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.stopped.signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, pauseMs)
      this.stopped.signal.addEventListener('abort', done)
    })
  }
}

function toCompiled(tree: SnapshotTree): Compiled {
  const lines = tree.toMap()
  const header: unknown = JSON.parse(lines.get(HEADER_KEY) ?? '{}')
  const upstreams: UpstreamSpec[] = []
  let routes = 0
  for (const [key, line] of lines) {
    // Control wrote it as this shape, and signed it.
    if (key.startsWith('upstreams/')) upstreams.push(JSON.parse(line) as UpstreamSpec)
    else if (key.startsWith('routes/')) routes++
  }
  const { listener } = header as { readonly listener: ListenerSpec }
  return { kind: 'compiled', version: tree.root(), lines, upstreams, listener, routes, watched: NO_FILES }
}

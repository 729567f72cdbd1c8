/** Where a gateway process gets what it runs from: files, or a control plane. */
import type { CompileResult } from '../../config/compile-child.ts'
import type { SnapshotLines } from '../../kernel/snapshot-delivery.ts'
import type { ReportPart } from './report-part.ts'

export type Compiled = Extract<CompileResult, { kind: 'compiled' }> & SnapshotLines

export type CompileOutcome = Compiled | Extract<CompileResult, { kind: 'refused' }>

/** What the process says of itself to its source. */
export interface ProcessState {
  /** Version of the snapshot that all workers run; empty for none. */
  readonly version: string
  /** Why the latest one is not running; empty when it is. */
  readonly refused: string
  readonly workers: number
  readonly ready: boolean
}

export interface ConfigSource {
  /** What is to be run now, or what is wrong with it; rejects when it cannot be had at all. */
  read(): Promise<CompileOutcome>
  /** Calls `changed` from now on whenever `read` may give something else; `state` and `parts` are asked for reports. */
  follow(changed: () => void, state: () => ProcessState, parts: readonly ReportPart[]): void
  close(): Promise<void>
}

/** What the main thread of a gateway and its workers tell each other. */
import type { CallerCount } from '../../kernel/caller-counts.ts'
import type { DeploymentCounts } from '../../kernel/control-protocol.ts'
import type { CounterMemory } from '../../kernel/counter-table.ts'
import type { QuotaName } from '../../kernel/quotas.ts'
import type { SnapshotDelivery } from '../../kernel/snapshot-delivery.ts'
import type { LogOutput } from '../log-writer.ts'
import type { UpstreamEndpoints } from '../upstream/endpoint.ts'

/** Given to a worker when it starts. */
export interface WorkerStart {
  readonly index: number
  readonly endpoints: readonly UpstreamEndpoints[]
  readonly host: string
  readonly port: number
  readonly tlsPort: number | undefined
  readonly debug: boolean
  readonly logLevel: string
  readonly counters: CounterMemory
  readonly verdicts: SharedArrayBuffer
  /** What this worker counts, and the next one in its place goes on with. */
  readonly metrics: SharedArrayBuffer
  readonly logOutput: LogOutput
  /** Keys for TLS session tickets. */
  readonly ticketKeys: Uint8Array
  /** One Int32 for each worker: the beats that show that its event loop runs. */
  readonly heartbeats: SharedArrayBuffer
}

export type ToWorker =
  /** The first message: what to begin to serve with. No part of `WorkerStart`, which stays as long as the thread. */
  | { readonly kind: 'begin'; readonly delivery: SnapshotDelivery }
  /** Compile this beside the running one, open the port with TLS when it has one, and say whether that worked. */
  | {
      readonly kind: 'prepare'
      readonly order: number
      readonly delivery: SnapshotDelivery
      readonly tlsPort: number | undefined
    }
  /** Swap the prepared snapshot in, or forget it. */
  | { readonly kind: 'commit' }
  | { readonly kind: 'discard' }
  | { readonly kind: 'endpoints'; readonly found: UpstreamEndpoints }
  | { readonly kind: 'drain'; readonly graceMs: number; readonly timeoutMs: number }

export type FromWorker =
  | {
      readonly kind: 'listening'
      readonly port: number
      readonly tlsPort: number | undefined
      readonly version: string
    }
  | { readonly kind: 'prepared'; readonly order: number; readonly tlsPort: number | undefined }
  | { readonly kind: 'refused'; readonly order: number; readonly reason: string }
  /** The version that it serves with from now on. */
  | { readonly kind: 'running'; readonly version: string }
  /** A line for the event log, which the main thread alone writes. */
  | { readonly kind: 'event'; readonly line: string }
  /** Counts under a name that the main thread has not heard of. */
  | { readonly kind: 'counting'; readonly name: QuotaName }
  /** What it counted of deployments that stand side by side since it said so last. */
  | { readonly kind: 'deployments'; readonly counts: readonly DeploymentCounts[] }
  /** Who called deprecated versions since it said so last. */
  | { readonly kind: 'callers'; readonly counts: readonly CallerCount[] }
  | { readonly kind: 'drained' }

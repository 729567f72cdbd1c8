/** What the parts of the control plane share: made once by `control-process.ts`, given to every operation. */
import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import type { PolicyDefinition } from '../kernel/policy.ts'
import type { Database } from '../db/client.ts'
import type { TrustedProxies } from './caller-address.ts'
import type { KeyRing } from './keys/key-ring.ts'
import type { FailedSignIns } from './sessions/failed-sign-ins.ts'
import type { SnapshotFeed } from './snapshots/snapshot-feed.ts'

export interface DocumentSettings {
  /** Whether documents may be fetched from private, loopback and link-local addresses. */
  readonly allowPrivateAddresses: boolean
  /** Hosts besides a document's own from which files that it refers to may be fetched. */
  readonly hosts: readonly string[]
  /** Where processes for large documents keep their compiled modules. */
  readonly cacheFolder: string
  /** Bytes of documents that one workspace may keep. */
  readonly mostKeptBytes: number
}

export interface Control {
  /** Version of Headgate. */
  readonly version: string
  readonly database: Database
  readonly clock: Clock
  readonly log: Log
  /** Seals and opens secrets; signs snapshots. */
  readonly keys: KeyRing
  /** Takes up who did not get in, for the audit. */
  readonly failures: FailedSignIns
  /** The compiled configuration of each environment, followed from the store. */
  readonly feed: SnapshotFeed
  /** The policies that may be configured. */
  readonly policies: readonly PolicyDefinition[]
  /** How documents of APIs are imported and kept. */
  readonly documents: DocumentSettings
  /** SHA-256 in hex of the bootstrap token; undefined when it is switched off. */
  readonly bootstrapHash: string | undefined
  /** Where browsers reach the control plane; undefined: where they ask. */
  readonly publicUrl: string | undefined
  /** Whether webhooks may go to private and loopback addresses; by default they may not. */
  readonly allowPrivateAddresses?: boolean
  /** Whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: TrustedProxies
  /** A new id: what it is of, and a number that grows with time. */
  newId(prefix: string): string
}

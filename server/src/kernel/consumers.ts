/**
 * The consumers of a snapshot, found by what a request presents. Only hashes of keys are kept: a lookup hashes what
 * came in, so comparing is a lookup of a SHA-256 digest and leaks nothing about the keys.
 */
import { hash } from 'node:crypto'
import { DigestTable } from './digest-table.ts'
import type { ConsumerSpec } from './snapshot.ts'

/** All that a request needs to know, in one piece: among thousands of consumers, each further object is a cache miss. */
export interface ConsumerCredential {
  /** Name of the consumer. */
  readonly consumer: string
  /** Name of the key within its consumer, for logs. */
  readonly credential: string
  /** Wall-clock milliseconds after which the key no longer counts. */
  readonly expiresAtMs: number | undefined
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
}

export interface Consumers {
  byKey(presentedKey: string): ConsumerCredential | undefined
  byName(name: string): ConsumerSpec | undefined
}

/** The form in which keys are configured and kept: lower-case hex of SHA-256 over the key's UTF-8 bytes. */
export function toKeyHash(key: string): string {
  return hash('sha256', key)
}

/** An index that is changed while a snapshot is compiled in slices and is read-only after that. */
export class ConsumerIndex implements Consumers {
  private credentials = new DigestTable<ConsumerCredential>()
  private consumers = new Map<string, ConsumerSpec>()
  /** Consumers that have policies of their own, or plans. */
  private policied = 0

  /** Nobody here has policies beside those of the APIs. */
  get hasNoPolicies(): boolean {
    return this.policied === 0
  }

  copy(): ConsumerIndex {
    const copy = new ConsumerIndex()
    copy.credentials = this.credentials.copy()
    copy.consumers = new Map(this.consumers)
    copy.policied = this.policied
    return copy
  }

  add(consumer: ConsumerSpec): void {
    const { name, scopes, roles } = consumer
    this.consumers.set(name, consumer)
    if (hasPolicies(consumer)) this.policied++
    for (const key of consumer.keys) {
      this.credentials.set(toDigest(key.hash), {
        consumer: name,
        credential: key.name,
        expiresAtMs: key.expiresAtMs,
        scopes,
        roles,
      })
    }
  }

  /** Takes a consumer that is in the index out, and with it what its keys open. */
  remove(consumer: ConsumerSpec): void {
    this.consumers.delete(consumer.name)
    if (hasPolicies(consumer)) this.policied--
    for (const { hash: keyHash } of consumer.keys) {
      const digest = toDigest(keyHash)
      // A key may have moved to another consumer, who was added before this one went.
      if (this.credentials.get(digest)?.consumer === consumer.name) this.credentials.delete(digest)
    }
  }

  byKey(presentedKey: string): ConsumerCredential | undefined {
    return this.credentials.get(hash('sha256', presentedKey, 'latin1'))
  }

  byName(name: string): ConsumerSpec | undefined {
    return this.consumers.get(name)
  }
}

function hasPolicies({ policies, subscriptions }: ConsumerSpec): boolean {
  return policies.length + subscriptions.length > 0
}

function toDigest(keyHash: string): string {
  return Buffer.from(keyHash, 'hex').toString('latin1')
}

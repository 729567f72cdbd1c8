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

/** An index that grows while a snapshot is compiled in slices and is read-only after that. */
export class ConsumerIndex implements Consumers {
  private readonly credentials = new DigestTable<ConsumerCredential>()
  private readonly consumers = new Map<string, ConsumerSpec>()

  add(consumer: ConsumerSpec): void {
    const { name, scopes, roles } = consumer
    this.consumers.set(name, consumer)
    for (const key of consumer.keys) {
      this.credentials.set(Buffer.from(key.hash, 'hex').toString('latin1'), {
        consumer: name,
        credential: key.name,
        expiresAtMs: key.expiresAtMs,
        scopes,
        roles,
      })
    }
  }

  byKey(presentedKey: string): ConsumerCredential | undefined {
    return this.credentials.get(hash('sha256', presentedKey, 'latin1'))
  }

  byName(name: string): ConsumerSpec | undefined {
    return this.consumers.get(name)
  }
}

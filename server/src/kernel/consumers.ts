/**
 * The consumers of a snapshot, found by what a request presents. Only hashes of keys are kept: a lookup hashes what
 * came in, so comparing is a lookup of a SHA-256 digest and leaks nothing about the keys.
 */
import { hash } from 'node:crypto'
import { DigestTable, MOST_TEXT_BYTES } from './digest-table.ts'
import type { Fields } from './fields.ts'
import type { ConsumerSpec } from './snapshot.ts'

/** What a key opens. */
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
  /** `from` are the fields that it was presented in: who presents the same again does not have it hashed again. */
  byKey(presentedKey: string, from?: Fields): ConsumerCredential | undefined
  byName(name: string): ConsumerSpec | undefined
}

/** The form in which keys are configured and kept: lower-case hex of SHA-256 over the key's UTF-8 bytes. */
export function toKeyHash(key: string): string {
  return hash('sha256', key)
}

/** What many keys have in common, and so is one object for all of them. */
interface Rights extends Omit<ConsumerCredential, 'consumer'> {
  /** Where it does not lie beside the digest. */
  readonly consumer: string | undefined
}

const SHORT_NAME = new RegExp(`^[\\x00-\\xff]{1,${MOST_TEXT_BYTES}}$`)

const MOST_SHARED_RIGHTS = 1_024
const sharedRights = new Map<string, Rights>()

/** An index that is changed while a snapshot is compiled in slices and is read-only after that. */
export class ConsumerIndex implements Consumers {
  private credentials = new DigestTable<Rights>()
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
    const text = SHORT_NAME.test(name) ? name : ''
    for (const { hash: keyHash, name: credential, expiresAtMs } of consumer.keys) {
      const rights = { consumer: text === '' ? name : undefined, credential, expiresAtMs, scopes, roles }
      this.credentials.set(toDigest(keyHash), share(rights), text)
    }
  }

  /** Takes a consumer that is in the index out, and with it what its keys open. */
  remove(consumer: ConsumerSpec): void {
    this.consumers.delete(consumer.name)
    if (hasPolicies(consumer)) this.policied--
    for (const { hash: keyHash } of consumer.keys) {
      const digest = toDigest(keyHash)
      // A key may have moved to another consumer, who was added before this one went.
      if (this.byDigest(digest)?.consumer === consumer.name) this.credentials.delete(digest)
    }
  }

  byKey(presentedKey: string, from?: Fields): ConsumerCredential | undefined {
    return this.byDigest(from === undefined ? digestOf(presentedKey) : from.derive(presentedKey, digestOf))
  }

  byName(name: string): ConsumerSpec | undefined {
    return this.consumers.get(name)
  }

  private byDigest(digest: string): ConsumerCredential | undefined {
    const { credentials } = this
    const slot = credentials.find(digest)
    const rights = slot === undefined ? undefined : credentials.valueAt(slot)
    if (slot === undefined || rights === undefined) return undefined
    const { consumer = credentials.textAt(slot), credential, expiresAtMs, scopes, roles } = rights
    return { consumer, credential, expiresAtMs, scopes, roles }
  }
}

/** Rights of one's own, such as those that end, are not kept for others. */
function share(rights: Rights): Rights {
  if (rights.consumer !== undefined || rights.expiresAtMs !== undefined) return rights
  const key = JSON.stringify([rights.credential, rights.scopes, rights.roles])
  const known = sharedRights.get(key)
  if (known !== undefined) return known
  if (sharedRights.size < MOST_SHARED_RIGHTS) sharedRights.set(key, rights)
  return rights
}

function hasPolicies({ policies, subscriptions }: ConsumerSpec): boolean {
  return policies.length + subscriptions.length > 0
}

function digestOf(key: string): string {
  return hash('sha256', key, 'latin1')
}

function toDigest(keyHash: string): string {
  return Buffer.from(keyHash, 'hex').toString('latin1')
}

/** Consumers and products of the document to those of a snapshot: keys become hashes here and are gone after that. */
import { toKeyHash } from '../kernel/consumers.ts'
import type { ConsumerSpec, ProductSpec } from '../kernel/snapshot.ts'
import type { Findings } from './findings.ts'
import type { KeyPath } from './issues.ts'
import type { Entry } from './policy-lists.ts'
import type { ConsumerSettings, ProductSettings } from './schema/consumer.ts'

export interface ConsumerPlan {
  readonly settings: ConsumerSettings
  readonly path: KeyPath
  readonly entries: readonly Entry[]
}

export interface ProductPlan {
  readonly settings: ProductSettings
  readonly path: KeyPath
  /** Entries of each plan, in the order of the plans. */
  readonly plans: readonly { readonly name: string; readonly entries: readonly Entry[] }[]
}

export function toConsumerSpec({ settings, entries }: ConsumerPlan): ConsumerSpec {
  return {
    name: settings.name,
    labels: settings.labels,
    roles: settings.roles,
    scopes: settings.scopes,
    keys: settings.keys.map((key, index) => ({
      name: key.name ?? `key-${index + 1}`,
      hash: hashOf(key),
      expiresAtMs: key.expiresAt === undefined ? undefined : Date.parse(key.expiresAt),
    })),
    policies: entries.map(({ spec }) => spec),
    subscriptions: settings.subscriptions,
  }
}

export function toProductSpec({ settings, plans }: ProductPlan): ProductSpec {
  return {
    name: settings.name,
    apis: settings.apis,
    access: settings.access,
    plans: plans.map(({ name, entries }) => ({ name, policies: entries.map(({ spec }) => spec) })),
  }
}

/** Refuses keys that are given twice or not at all, and keys that two consumers share: nobody could tell them apart. */
export function checkKeys(consumers: readonly ConsumerPlan[], findings: Findings): void {
  const seen = new Map<string, KeyPath>()
  for (const { settings, path } of consumers) {
    const names = new Map<string, KeyPath>()
    settings.keys.forEach((key, index) => {
      const keyPath = [...path, 'keys', index]
      if ((key.value === undefined) === (key.hash === undefined)) {
        findings.report(keyPath, 'a key has either `value` or `hash`', { hint: 'Write one of the two.' })
        return
      }
      claim(seen, hashOf(key), keyPath, 'the same key is given twice', findings)
      claim(names, key.name ?? `key-${index + 1}`, keyPath, 'another key of the consumer has the same name', findings)
    })
  }
}

function claim(seen: Map<string, KeyPath>, what: string, path: KeyPath, message: string, findings: Findings): void {
  const otherPath = seen.get(what)
  if (otherPath === undefined) seen.set(what, path)
  else findings.report(path, message, { otherPath, hint: 'Remove or change one of the two.' })
}

function hashOf(key: ConsumerSettings['keys'][number]): string {
  return key.hash?.toLowerCase() ?? toKeyHash(key.value ?? '')
}

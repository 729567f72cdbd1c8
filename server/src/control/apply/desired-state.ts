/** A configuration document taken apart into the things that the control plane keeps. */
import { toKeyHash } from '../../kernel/consumers.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts'
import { apiFacts } from '../../config/schema/api.ts'

/** What an entry says of the API as a whole. */
const FACTS: ReadonlySet<string> = new Set(Object.keys(apiFacts))

export interface DesiredKey {
  readonly name: string
  /** SHA-256 in hex. */
  readonly hash: string
  readonly expiresAtMs: number | null
}

export interface DesiredConsumer {
  readonly document: JsonObject
  readonly keys: readonly DesiredKey[]
  readonly subscriptions: readonly { readonly product: string; readonly plan: string }[]
}

export interface DesiredVersion {
  readonly name: string
  readonly settings: JsonObject
  /** The text of its OpenAPI document. */
  readonly spec: string | undefined
  /** Undefined: the document does not speak of it, so it stays as it is. */
  readonly lifecycle: JsonObject | undefined
}

export interface DesiredApi {
  readonly document: JsonObject
  readonly versions: readonly DesiredVersion[]
}

export interface DesiredState {
  readonly upstreams: readonly JsonObject[]
  readonly products: readonly JsonObject[]
  readonly policyLists: readonly JsonObject[]
  readonly consumers: readonly DesiredConsumer[]
  readonly apis: readonly DesiredApi[]
  readonly certificates: readonly JsonObject[]
  readonly webhooks: readonly JsonObject[]
  /** Undefined: the document does not speak of it. */
  readonly policies: readonly JsonValue[] | undefined
  readonly gateway: JsonObject | undefined
}

/** `document` was checked by its schema; `texts` are the OpenAPI documents by the name under which it names them. */
export function toDesiredState(document: JsonObject, texts: ReadonlyMap<string, string>): DesiredState {
  const { policies, gateway } = document
  return {
    upstreams: listOf(document, 'upstreams'),
    products: listOf(document, 'products'),
    policyLists: listOf(document, 'policyLists'),
    consumers: listOf(document, 'consumers').map(toConsumer),
    apis: toApis(listOf(document, 'apis'), texts),
    certificates: listOf(document, 'certificates'),
    webhooks: listOf(document, 'webhooks'),
    policies: Array.isArray(policies) ? policies : undefined,
    gateway: isJsonObject(gateway) ? gateway : undefined,
  }
}

/** The name without which no thing of a document passes its check. */
export function nameOf(document: JsonObject): string {
  return textOf(document, 'name') ?? ''
}

function listOf(document: JsonObject, key: string): JsonObject[] {
  const list = document[key]
  return Array.isArray(list) ? list.filter(isJsonObject) : []
}

function textOf(document: JsonObject, key: string): string | undefined {
  const value = document[key]
  return typeof value === 'string' ? value : undefined
}

function toConsumer(consumer: JsonObject): DesiredConsumer {
  const { keys: _keys, subscriptions: _subscriptions, ...document } = consumer
  return {
    document,
    keys: listOf(consumer, 'keys').map((key, index) => {
      const expiresAt = textOf(key, 'expiresAt')
      return {
        name: textOf(key, 'name') ?? `key-${index + 1}`,
        hash: textOf(key, 'hash')?.toLowerCase() ?? toKeyHash(textOf(key, 'value') ?? ''),
        expiresAtMs: expiresAt === undefined ? null : Date.parse(expiresAt),
      }
    }),
    subscriptions: listOf(consumer, 'subscriptions').map((each) => ({
      product: textOf(each, 'product') ?? '',
      plan: textOf(each, 'plan') ?? '',
    })),
  }
}

/** Versions of one API are entries of their own in a document; what they say of the API is put together. */
function toApis(entries: readonly JsonObject[], texts: ReadonlyMap<string, string>): DesiredApi[] {
  const apis = new Map<string, { document: JsonObject; versions: DesiredVersion[] }>()
  for (const entry of entries) {
    const name = nameOf(entry)
    const facts = Object.fromEntries(Object.entries(entry).filter(([key]) => FACTS.has(key)))
    const known = apis.get(name) ?? { document: { name }, versions: [] }
    apis.set(name, {
      document: { ...known.document, ...facts },
      versions: [...known.versions, toVersion(entry, texts)],
    })
  }
  return [...apis.values()]
}

function toVersion(entry: JsonObject, texts: ReadonlyMap<string, string>): DesiredVersion {
  const name = textOf(entry, 'version') ?? '1.0.0'
  const spec = textOf(entry, 'spec')
  const left = new Set(['name', 'version', 'spec', 'lifecycle', ...FACTS])
  const settings = Object.fromEntries(Object.entries(entry).filter(([key]) => !left.has(key)))
  const { lifecycle } = entry
  return {
    name,
    settings: { name, ...settings },
    spec: spec === undefined ? undefined : texts.get(toTextName(spec)),
    lifecycle: isJsonObject(lifecycle) ? lifecycle : undefined,
  }
}

/** `./books.yaml` and `books.yaml` are one file. */
export function toTextName(path: string): string {
  return path.replace(/^(?:\.\/)+/, '')
}

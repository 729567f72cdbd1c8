/**
 * Secrets inside documents: a value that its schema marks as secret never lies in a document. It becomes a secret of
 * the workspace, sealed, and `${secret:NAME}` stands in its place; the value comes back only into a snapshot.
 */
import { z } from 'zod'
import { isSecretReference, SECRET_REFERENCE } from '../../kernel/secret-reference.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts'
import type { PolicyDefinition } from '../../kernel/policy.ts'

const REFERENCE = new RegExp(SECRET_REFERENCE, 'g')

export interface FoundSecret {
  readonly name: string
  readonly value: string
}

/** By names of secrets; undefined is a value that is not known, and like no other. */
export type SecretValues = ReadonlyMap<string, string | undefined>

type SecretPath = readonly string[]

const pathsOfSchemas = new WeakMap<z.ZodType, readonly SecretPath[]>()

/** Where values of a schema are secret: keys, `*` for the elements of a list or the values of a map. */
function secretPaths(schema: z.ZodType): readonly SecretPath[] {
  const known = pathsOfSchemas.get(schema)
  if (known !== undefined) return known
  // JSON Schema is the one form that all kinds of zod's schemas come in, and it keeps our `secret: true`.
  const json: unknown = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' })
  const paths = walkSchema(json, 0)
  pathsOfSchemas.set(schema, paths)
  return paths
}

/** Where a document has lists of policies, what their kinds keep secret: the document's own schema leaves them open. */
function policyPaths(value: JsonValue, policies: readonly PolicyDefinition[]): SecretPath[] {
  if (Array.isArray(value)) return below(value.entries(), policies)
  if (!isJsonObject(value)) return []
  const { kind, config } = value
  const definition = config === undefined ? undefined : policies.find((policy) => policy.kind === kind)
  const own = definition === undefined ? [] : secretPaths(definition.config).map((path) => ['config', ...path])
  return [...own, ...below(Object.entries(value), policies)]
}

function below(entries: Iterable<[string | number, JsonValue]>, policies: readonly PolicyDefinition[]): SecretPath[] {
  return [...entries].flatMap(([key, inner]) => policyPaths(inner, policies).map((path) => [String(key), ...path]))
}

function walkSchema(schema: unknown, depth: number): string[][] {
  if (typeof schema !== 'object' || schema === null || depth > 20) return []
  const at = (key: string): unknown => Reflect.get(schema, key)
  if (at('secret') === true) return [[]]
  const below = (key: string, inner: unknown): string[][] => walkSchema(inner, depth + 1).map((path) => [key, ...path])
  const properties = at('properties')
  const ofProperties =
    typeof properties === 'object' && properties !== null
      ? Object.entries(properties).flatMap(([key, inner]) => below(key, inner))
      : []
  const branches = ['anyOf', 'oneOf', 'allOf'].flatMap((key) => {
    const list = at(key)
    return Array.isArray(list) ? list.flatMap((inner) => walkSchema(inner, depth + 1)) : []
  })
  return [...ofProperties, ...below('*', at('items')), ...below('*', at('additionalProperties')), ...branches]
}

/**
 * A copy in which literal secrets are references to secrets, and those secrets. They are named after where they stand,
 * such as `upstreams.bookshop.headers.0.value`, with a number where that is a secret of another value: one of `known`, or
 * one that the document refers to from a place to which it was moved.
 */
export function extractSecrets(
  document: JsonObject,
  schema: z.ZodType,
  policies: readonly PolicyDefinition[],
  owner: string,
  known: SecretValues = new Map(),
): { readonly document: JsonObject; readonly secrets: readonly FoundSecret[] } {
  const secrets: FoundSecret[] = []
  const referred = [...referredSecrets(JSON.stringify(document))].map((name) => [name, undefined] as const)
  const taken = new Map<string, string | undefined>([...referred, ...known])
  let value: JsonValue = document
  for (const path of [...secretPaths(schema), ...policyPaths(document, policies)]) {
    value = replaceAt(value, path, owner, (text, place) => {
      if (text === '' || isSecretReference(text)) return text
      const name = nameApart(place, text, taken)
      taken.set(name, text)
      secrets.push({ name, value: text })
      return `\${secret:${name}}`
    })
  }
  if (!isJsonObject(value)) throw new TypeError('a document stays an object')
  return { document: value, secrets }
}

/** The name of the place, or that with a number, under which the value is already; else the first that is free. */
function nameApart(place: string, value: string, taken: SecretValues): string {
  const isOfPlace = (name: string): boolean => name === place || name.startsWith(`${place}..`)
  const known = [...taken].find(([name, each]) => each === value && isOfPlace(name))
  if (known !== undefined) return known[0]
  let name = place
  for (let number = 2; taken.has(name); number++) name = `${place}..${number}`
  return name
}

function replaceAt(
  value: JsonValue,
  [key, ...rest]: readonly string[],
  name: string,
  replace: (text: string, name: string) => string,
): JsonValue {
  if (key === undefined) return typeof value === 'string' ? replace(value, name) : value
  if (Array.isArray(value)) {
    return value.map((each: JsonValue, at) =>
      key === '*' || key === String(at) ? replaceAt(each, rest, `${name}.${at}`, replace) : each,
    )
  }
  if (!isJsonObject(value)) return value
  const entries = Object.entries(value).map(([each, inner]) => {
    const fits = each === key || key === '*'
    return [each, fits ? replaceAt(inner, rest, `${name}.${toWord(each)}`, replace) : inner] as const
  })
  return Object.fromEntries(entries)
}

function toWord(key: string): string {
  return key.replaceAll(/[^A-Za-z0-9_-]/g, '-')
}

/** Names of the secrets that a document refers to. */
export function referredSecrets(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(REFERENCE)].flatMap(([, name]) => (name === undefined ? [] : [name])))
}

/** The document with its secrets in it; `valueOf` throws where one has no value. */
export function insertSecrets(value: JsonValue, valueOf: (name: string) => string): JsonValue {
  if (typeof value === 'string') return value.replaceAll(REFERENCE, (_, name: string) => valueOf(name))
  if (Array.isArray(value)) return value.map((each: JsonValue) => insertSecrets(each, valueOf))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, insertSecrets(inner, valueOf)]))
}

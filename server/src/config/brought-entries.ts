/** Policies that nobody writes: the state of a version's life brings them, and how callers choose the version. */
import type { PolicyDefinition } from '../kernel/policy.ts'
import type { JsonObject } from '../kernel/json.ts'
import type { Findings } from './findings.ts'
import type { KeyPath } from './issues.ts'
import { parseValue } from './parse-value.ts'
import type { PolicyRegistry } from './policy-configs.ts'
import type { Entry } from './policy-lists.ts'
import type { ApiSettings } from './schema/api.ts'
import { toVersionSelector } from './version-selector.ts'

export interface BroughtEntries {
  /** Before the policies of the API. */
  readonly first: readonly Entry[]
  /** After those of each route: what answers in the place of the upstream. */
  readonly last: readonly Entry[]
}

export function toBroughtEntries(
  api: ApiSettings,
  apiPath: KeyPath,
  registry: PolicyRegistry,
  findings: Findings,
): BroughtEntries {
  const { lifecycle, selector } = api
  const { varyField } = toVersionSelector(api)
  if (lifecycle === undefined && selector === undefined) return { first: [], last: [] }
  const bring = (key: string, toConfig: (definition: PolicyDefinition) => unknown): Entry[] =>
    [...registry.values()].flatMap((definition) => {
      const wanted = toConfig(definition)
      const path = [...apiPath, key]
      const config = wanted === undefined ? undefined : parseValue(definition.config, wanted, path, findings)
      if (config === undefined) return []
      const id = `apis/${api.name}/${api.version}/${key}/${definition.kind}`
      // Schemas of policies are strict objects of plain data, which is what a JSON object is.
      const spec = { id, kind: definition.kind, when: undefined, config: config as JsonObject }
      return [{ spec, definition, config, path }]
    })
  const entries = [
    ...(varyField === undefined ? [] : bring('selector', (definition) => definition.variesBy?.(varyField))),
    ...(lifecycle === undefined ? [] : bring('lifecycle', (definition) => definition.lifecycle?.(lifecycle))),
  ]
  return {
    first: entries.filter(({ definition }) => definition.answersAlways !== true),
    last: entries.filter(({ definition }) => definition.answersAlways === true),
  }
}

/** Whether something in the lists answers every request already. */
export function answersAll(entries: readonly Entry[]): boolean {
  return entries.some(({ spec, definition }) => definition.answersAlways === true && spec.when === undefined)
}

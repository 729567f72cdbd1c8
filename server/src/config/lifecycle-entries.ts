/** The policies that serve a version in its state of life: nobody writes them, the state brings them. */
import type { PolicyDefinition } from '../kernel/policy.ts'
import type { JsonObject } from '../kernel/json.ts'
import type { Findings } from './findings.ts'
import type { KeyPath } from './issues.ts'
import { parseValue } from './parse-value.ts'
import type { PolicyRegistry } from './policy-configs.ts'
import type { Entry } from './policy-lists.ts'
import type { ApiSettings } from './schema/api.ts'

export interface LifecycleEntries {
  /** Before the policies of the API. */
  readonly first: readonly Entry[]
  /** After those of each route: what answers in the place of the upstream. */
  readonly last: readonly Entry[]
}

export function toLifecycleEntries(
  { name, version, lifecycle }: ApiSettings,
  apiPath: KeyPath,
  registry: PolicyRegistry,
  findings: Findings,
): LifecycleEntries {
  if (lifecycle === undefined) return { first: [], last: [] }
  const path = [...apiPath, 'lifecycle']
  const entries = [...registry.values()].flatMap((definition: PolicyDefinition): Entry[] => {
    const wanted = definition.lifecycle?.(lifecycle)
    if (wanted === undefined) return []
    const config = parseValue(definition.config, wanted, path, findings)
    if (config === undefined) return []
    const id = `apis/${name}/${version}/lifecycle/${definition.kind}`
    // Schemas of policies are strict objects of plain data, which is what a JSON object is.
    const spec = { id, kind: definition.kind, when: undefined, config: config as JsonObject }
    return [{ spec, definition, config, path }]
  })
  return {
    first: entries.filter(({ definition }) => definition.answersAlways !== true),
    last: entries.filter(({ definition }) => definition.answersAlways === true),
  }
}

/** Whether something in the lists answers every request already. */
export function answersAll(entries: readonly Entry[]): boolean {
  return entries.some(({ spec, definition }) => definition.answersAlways === true && spec.when === undefined)
}

/** The policy lists of a document as entries with their checked configuration; entries that are off are left out. */
import type { PolicyDefinition } from '../kernel/policy.ts'
import type { PolicySpec } from '../kernel/snapshot.ts'
import type { JsonObject } from '../kernel/json.ts'
import type { Findings } from './findings.ts'
import { toKeyText, type KeyPath } from './issues.ts'
import type { PolicyConfigs } from './policy-configs.ts'
import type { PolicyEntry } from './schema/policy-entry.ts'

export interface Entry {
  readonly spec: PolicySpec
  readonly definition: PolicyDefinition
  /** The configuration as the schema of its kind gives it. */
  readonly config: unknown
  readonly path: KeyPath
}

/** Makes entries from lists, and keeps their ids unique in the whole document: counters are kept by them. */
export class PolicyLists {
  private readonly configs: PolicyConfigs
  private readonly findings: Findings
  private readonly ids = new Map<string, KeyPath>()

  constructor(configs: PolicyConfigs, findings: Findings) {
    this.configs = configs
    this.findings = findings
  }

  /** `owner` names the list in ids, such as `apis/books/1.0.0`; nothing for the global list. */
  toEntries(list: readonly PolicyEntry[], path: KeyPath, owner: string): Entry[] {
    return list.flatMap((entry, index) => {
      const entryPath = [...path, index]
      const checked = this.configs.get(toKeyText(entryPath))
      if (!entry.enabled || checked === undefined) return []
      const id = entry.id ?? `${owner}${owner === '' ? '' : '/'}policies/${index}`
      this.claim(id, entry.id === undefined ? entryPath : [...entryPath, 'id'])
      // Schemas of policies are strict objects of plain data, which is what a JSON object is.
      const config = checked.config as JsonObject
      const spec: PolicySpec = { id, kind: entry.kind, when: entry.when, config }
      return [{ spec, definition: checked.definition, config, path: entryPath }]
    })
  }

  private claim(id: string, path: KeyPath): void {
    const otherPath = this.ids.get(id)
    if (otherPath === undefined) this.ids.set(id, path)
    else this.findings.report(path, 'another policy has the same id', { otherPath, hint: 'Give each its own `id`.' })
  }
}

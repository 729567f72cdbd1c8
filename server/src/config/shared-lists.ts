/** Named policy lists: which hold for an API, and whether each is used as it is meant. */
import type { Findings } from './findings.ts'
import type { Entry, PolicyLists } from './policy-lists.ts'
import type { PolicyListSettings } from './schema/policy-list.ts'

export interface SharedList {
  readonly settings: PolicyListSettings
  /** The same entries for every API, so that one limit counts over all of them. */
  readonly entries: readonly Entry[]
}

/** In the order in which they run: the default one, then by name. */
export function planSharedLists(
  written: readonly PolicyListSettings[],
  lists: PolicyLists,
  findings: Findings,
): SharedList[] {
  const planned = written.map((settings, index) => {
    const path = ['policyLists', index]
    if (settings.default && settings.apis.length > 0) {
      findings.report([...path, 'apis'], 'a default list holds for every API', { hint: 'Remove `apis` or `default`.' })
    }
    return {
      settings,
      path,
      entries: lists.toEntries(settings.policies, [...path, 'policies'], `lists/${settings.name}`),
    }
  })
  const [first, second] = planned.filter(({ settings }) => settings.default)
  if (first !== undefined && second !== undefined) {
    const otherPath = [...first.path, 'default']
    findings.report([...second.path, 'default'], 'another list is the default already', {
      otherPath,
      hint: 'Choose one.',
    })
  }
  return planned.toSorted((a, b) => compareLists(a.settings, b.settings))
}

export function holdsFor({ default: isDefault, apis }: PolicyListSettings, api: string): boolean {
  return isDefault || apis.includes(api)
}

export function compareLists(a: PolicyListSettings, b: PolicyListSettings): number {
  if (a.default !== b.default) return a.default ? -1 : 1
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}

/** The one list of policies: a new one is a folder of its own and a line here. */
import type { PolicyDefinition } from '../kernel/policy.ts'

export const policies: readonly PolicyDefinition[] = []

const byKind = new Map(policies.map((policy) => [policy.kind, policy]))

export function findPolicy(kind: string): PolicyDefinition | undefined {
  return byKind.get(kind)
}

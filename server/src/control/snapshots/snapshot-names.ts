/**
 * Names in a snapshot. It holds all workspaces of an environment, so names of a workspace carry it in front; those of
 * the default workspace stand as they are, so that a file means the same with and without a control plane. No name
 * begins with `@`, so nothing of one workspace can be taken for a thing of another.
 */
import type { PolicySpec, SnapshotContent } from '../../kernel/snapshot.ts'

export const DEFAULT_WORKSPACE = 'default'

/** `@team/bookshop`, or `bookshop` in the default workspace. */
export function toSnapshotName(workspace: string, name: string): string {
  return workspace === DEFAULT_WORKSPACE ? name : `@${workspace}/${name}`
}

/** The workspace and the name in it of what stands under a name in a snapshot. */
export function fromSnapshotName(text: string): { readonly workspace: string; readonly name: string } {
  const [, workspace = DEFAULT_WORKSPACE, name = text] = /^@([^/]*)\/(.*)$/.exec(text) ?? []
  return { workspace, name }
}

/** The parts of a compiled document under the names that they have in the snapshot of an environment. */
export function nameForSnapshot(part: SnapshotContent, workspace: string): SnapshotContent {
  const named = (name: string): string => toSnapshotName(workspace, name)
  const owner = workspace === DEFAULT_WORKSPACE ? {} : { workspace }
  const policies = (list: readonly PolicySpec[]): PolicySpec[] => list.map((each) => ({ ...each, id: named(each.id) }))
  return {
    ...part,
    // A workspace's own policies come before those of its APIs, and no other workspace has them.
    policies: [],
    upstreams: part.upstreams.map((each) => ({ ...each, name: named(each.name) })),
    apis: part.apis.map((each) => ({
      ...each,
      ...owner,
      name: named(each.name),
      policies: policies([...part.policies, ...each.policies]),
    })),
    routes: part.routes.map((each) => ({
      ...each,
      id: named(each.id),
      api: named(each.api),
      upstream: each.upstream === undefined ? undefined : named(each.upstream),
      policies: policies(each.policies),
    })),
    // Consumers and products are only ever met within their workspace, so their names stay what its policies call them.
    consumers: part.consumers.map((each) => ({ ...each, ...owner, policies: policies(each.policies) })),
    products: part.products.map((each) => ({
      ...each,
      ...owner,
      apis: each.apis.map(named),
      plans: each.plans.map((plan) => ({ ...plan, policies: policies(plan.policies) })),
    })),
  }
}

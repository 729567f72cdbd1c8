/** Who refers to a secret, so that a new value reaches the gateways and one that is in use is not taken away. */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import { collections } from '../collections.ts'
import type { Call, WorkspaceRef, Write } from '../define-route.ts'
import { LIVE_STATES } from '../deployments/deployment-store.ts'
import { redeployWorkspace } from '../deployments/redeploy.ts'
import type { Resource } from '../resources/resource-store.ts'
import { publishResources } from '../snapshots/publish-resources.ts'
import { SECRET_KINDS } from './secret-values.ts'

interface SecretUses {
  readonly resources: readonly Resource[]
  /** The policies that the workspace gives to all its APIs. */
  readonly isOfWorkspace: boolean
  /** Environments in which a live revision refers to it. */
  readonly deployedIn: readonly string[]
}

/** Compiles and publishes anew whatever refers to the secret, in the transaction that changes its value. */
export async function republishUses(
  { control, workspace }: Pick<Call, 'control' | 'workspace'>,
  write: Write,
  name: string,
): Promise<void> {
  const uses = await findUses(write.db, workspace, name)
  for (const row of uses.resources) {
    const collection = collections.find(({ kind }) => kind === row.kind)
    if (collection?.part !== undefined) await publishResources({ control, workspace, write }, collection.part, [row])
    else await collection?.changed?.({ control, workspace, write, before: row, after: row })
  }
  // What the workspace gives to all its APIs is compiled into each of them.
  await redeployWorkspace({ control, workspace }, write, uses.isOfWorkspace ? undefined : toMention(name))
}

/** What refers to the secret first, in words; undefined when nothing live does. */
export async function nameUse(db: Kysely<Tables>, workspace: WorkspaceRef, name: string): Promise<string | undefined> {
  const { resources, isOfWorkspace, deployedIn } = await findUses(db, workspace, name)
  return [
    ...resources.map((row) => `The ${row.kind} ${row.name} refers to it.`),
    ...(isOfWorkspace ? ['The policies of the workspace refer to it.'] : []),
    ...deployedIn.map((environment) => `A version that is live in ${environment} refers to it.`),
  ][0]
}

/** Whether anything refers to the secret of a version, live or not: its revisions, which are asked first, or others. */
export async function isMentioned(
  db: Kysely<Tables>,
  workspace: WorkspaceRef,
  versionId: string,
  name: string,
): Promise<boolean> {
  const mention = toMention(name)
  const revisions = db.selectFrom('revisions').select('content as text').where('content', 'like', `%${mention}%`)
  const queries = [
    revisions.where('version_id', '=', versionId),
    revisions.where('workspace_id', '=', workspace.id),
    db
      .selectFrom('resources')
      .select('spec as text')
      .where('workspace_id', '=', workspace.id)
      .where('spec', 'like', `%${mention}%`),
    db.selectFrom('workspaces').select('settings as text').where('id', '=', workspace.id),
  ]
  for (const query of queries) if ((await query.execute()).some(({ text }) => text.includes(mention))) return true
  return false
}

async function findUses(db: Kysely<Tables>, workspace: WorkspaceRef, name: string): Promise<SecretUses> {
  const mention = toMention(name)
  // `LIKE` narrows: to it `_` is any character. What it finds is looked at again.
  const pattern = `%${mention}%`
  const resources = await db
    .selectFrom('resources')
    .selectAll()
    .where('workspace_id', '=', workspace.id)
    // A draft is not live; a revision of it counts where it is deployed.
    .where('kind', 'not in', [...SECRET_KINDS, 'version'])
    .where('spec', 'like', pattern)
    .orderBy('name')
    .execute()
  const { settings } = await db
    .selectFrom('workspaces')
    .select('settings')
    .where('id', '=', workspace.id)
    .executeTakeFirstOrThrow()
  const deployed = await db
    .selectFrom('deployments')
    .innerJoin('revisions', 'revisions.id', 'deployments.revision_id')
    .select(['deployments.environment', 'revisions.content'])
    .where('deployments.workspace_id', '=', workspace.id)
    .where('deployments.state', 'in', LIVE_STATES)
    .where('revisions.content', 'like', pattern)
    .execute()
  return {
    resources: resources.filter(({ spec }) => spec.includes(mention)),
    isOfWorkspace: settings.includes(mention),
    deployedIn: deployed.filter(({ content }) => content.includes(mention)).map(({ environment }) => environment),
  }
}

function toMention(name: string): string {
  return `\${secret:${name}}`
}

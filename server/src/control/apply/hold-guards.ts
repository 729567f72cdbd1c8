/**
 * What guards an API comes and goes as one: while a part of it waits, nothing goes live that the part is to guard, and
 * nothing is taken away that guards a live version meanwhile. Else a document that moves the authentication of an API to
 * another place would leave the API without any until somebody sets a secret.
 */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import type { WorkspaceRef } from '../define-route.ts'
import { LIVE_STATES } from '../deployments/deployment-store.ts'
import type { ApplyContext } from './apply-context.ts'
import { nameOf, type DesiredState } from './desired-state.ts'
import { toVersionKey } from './review-desired.ts'
import { readSharedGuards, type SharedGuard } from './shared-guards.ts'

export interface HeldBack {
  readonly kind: string
  readonly name: string
  readonly reason: string
}

/** What is held back, and why: the first reason counts. */
export class HeldParts {
  private readonly parts = new Map<string, HeldBack>()

  get size(): number {
    return this.parts.size
  }

  add(part: HeldBack): void {
    if (!this.has(part.kind, part.name)) this.parts.set(`${part.kind} ${part.name}`, part)
  }

  has(kind: string, name: string): boolean {
    return this.parts.has(`${kind} ${name}`)
  }

  list(): HeldBack[] {
    return [...this.parts.values()]
  }
}

export async function holdGuards(context: ApplyContext, desired: DesiredState, held: HeldParts): Promise<void> {
  const guards = await readSharedGuards(context, desired)
  const live = await listLiveVersions(context.write.db, context.call.workspace)
  // What waits makes others wait: until a round in which nothing was added.
  for (let size = -1; size !== held.size;) {
    size = held.size
    const waiting = guards.filter(({ kind, name }) => held.has(kind, name))
    holdVersions(desired, waiting, held)
    const unsettled = live
      .filter(({ api, version }) => {
        return held.has('version', toVersionKey(api, version)) || waiting.some(({ wanted }) => wanted(api))
      })
      .map(({ api }) => api)
    for (const { kind, name, taken } of guards) {
      const api = unsettled.find(taken)
      if (api !== undefined) held.add({ kind, name, reason: `guards the live API ${api}, of which a part waits` })
    }
  }
}

function holdVersions(desired: DesiredState, waiting: readonly SharedGuard[], held: HeldParts): void {
  for (const { document, versions } of desired.apis) {
    const api = nameOf(document)
    const guard = waiting.find(({ wanted }) => wanted(api))
    if (guard === undefined) continue
    const reason = `needs ${guard.title}, which has to wait`
    for (const { name } of versions) held.add({ kind: 'version', name: toVersionKey(api, name), reason })
  }
}

/** In any environment: what guards from outside is the same for all of them. */
function listLiveVersions(
  db: Kysely<Tables>,
  { id }: WorkspaceRef,
): Promise<{ readonly api: string; readonly version: string }[]> {
  return db
    .selectFrom('deployments')
    .innerJoin('resources as apis', 'apis.id', 'deployments.api_id')
    .innerJoin('resources as versions', 'versions.id', 'deployments.version_id')
    .select(['apis.name as api', 'versions.name as version'])
    .where('deployments.workspace_id', '=', id)
    .where('deployments.state', 'in', LIVE_STATES)
    .distinct()
    .orderBy('api')
    .execute()
}

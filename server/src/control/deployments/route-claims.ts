/**
 * Who serves which host and path in an environment. Claims are rows under a key, so two APIs cannot both have one, in
 * whatever workspace or control process they are deployed at the same moment.
 */
import type { Kysely } from 'kysely'
import { toPathShape } from '../../config/route-path.ts'
import { countConditions } from '../../kernel/count-conditions.ts'
import { defineProblem } from '../../kernel/problem.ts'
import type { FieldMatch, RouteMatch } from '../../kernel/snapshot.ts'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'

export const routeTaken = defineProblem({
  code: 'deployment.route_taken',
  status: 409,
  title: 'Another API serves this host and path',
  blame: 'caller',
  remedy: 'Change the host, the base path or the path of one of the two, or take the other one out of the environment.',
})

interface Claimant {
  readonly environment: string
  readonly workspaceId: string
  readonly versionId: string
  /** What people call it, such as `books 1.0.0`. */
  readonly name: string
}

const CHUNK = 200

/** Replaces what the version claims in the environment; refuses with 409 when something of it is taken. */
export async function claimRoutes(
  db: Kysely<Tables>,
  { environment, workspaceId, versionId, name: claimant }: Claimant,
  matches: readonly RouteMatch[],
): Promise<void> {
  await releaseRoutes(db, environment, versionId)
  const claims = [...new Set(matches.flatMap(toClaims))]
  for (let at = 0; at < claims.length; at += CHUNK) {
    const some = claims.slice(at, at + CHUNK)
    const taken = await db
      .selectFrom('route_claims')
      .innerJoin('resources', 'resources.id', 'route_claims.version_id')
      .innerJoin('resources as apis', 'apis.id', 'resources.parent_id')
      .select(['route_claims.claim', 'route_claims.workspace_id', 'apis.name as api', 'resources.name as version'])
      .where('route_claims.environment', '=', environment)
      .where('route_claims.claim', 'in', some)
      .executeTakeFirst()
    if (taken !== undefined) {
      // Names of another tenant are none of the caller's business.
      const owner = taken.workspace_id === workspaceId ? `${taken.api} ${taken.version}` : 'an API of another workspace'
      const text = `${claimant} claims ${taken.claim}, which ${owner} serves in ${environment}.`
      refuse(routeTaken({ detail: text }))
    }
    const rows = some.map((claim) => ({ environment, claim, workspace_id: workspaceId, version_id: versionId }))
    await db.insertInto('route_claims').values(rows).execute()
  }
}

export async function releaseRoutes(db: Kysely<Tables>, environment: string, versionId: string): Promise<void> {
  await db
    .deleteFrom('route_claims')
    .where('environment', '=', environment)
    .where('version_id', '=', versionId)
    .execute()
}

/**
 * One claim for each host, shape of path, method and set of conditions that a request can be told apart by. Routes that
 * differ in their conditions alone stand beside each other, as within one API.
 */
function toClaims(match: RouteMatch): string[] {
  const hosts = match.hosts.length === 0 ? ['*'] : match.hosts
  const methods = match.methods.length === 0 ? ['*'] : match.methods
  const conditions = countConditions(match) === 0 ? [''] : toConditionTexts(match)
  const shape = toPathShape(match.path)
  return hosts.flatMap((host) =>
    methods.flatMap((method) => conditions.map((condition) => `${method} ${host}${shape}${condition}`)),
  )
}

/** One text, and another one for the requests that lack what it is optional to say: two versions cannot both take these. */
function toConditionTexts({ headers, query, when }: RouteMatch): string[] {
  const toText = (toField: (field: FieldMatch) => unknown): string =>
    ` ${JSON.stringify([headers.map(toField), query.map(toField), when])}`
  const asGiven = toText(({ name, value, absent, vendor }) => [name, value, absent, vendor])
  if (![...headers, ...query].some(({ orAbsent }) => orAbsent)) return [asGiven]
  const asAbsent = toText(({ name, value, absent, orAbsent, vendor }) =>
    orAbsent === true ? [name, undefined, true, vendor] : [name, value, absent, vendor],
  )
  return [asGiven, asAbsent]
}

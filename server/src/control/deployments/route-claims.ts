/**
 * Who serves which host and path in an environment. Claims are rows under a key, so two APIs cannot both have one, in
 * whatever control process they are deployed at the same moment. Within a workspace the router's precedence tells routes
 * apart; those of two workspaces must not meet at all (`foreign-claims.ts`).
 */
import type { Kysely } from 'kysely'
import { toPathShape } from '../../config/route-path.ts'
import { countConditions } from '../../kernel/count-conditions.ts'
import { defineProblem } from '../../kernel/problem.ts'
import type { FieldMatch, RouteMatch } from '../../kernel/snapshot.ts'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import { findMeeting } from './foreign-claims.ts'
import { toPlaceText, toStem, type ClaimedPlace } from './route-overlap.ts'

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

interface Claim extends ClaimedPlace {
  readonly claim: string
}

const CHUNK = 200

/** Replaces what the version claims in the environment; refuses with 409 when something of it is taken. */
export async function claimRoutes(
  db: Kysely<Tables>,
  claimant: Claimant,
  matches: readonly RouteMatch[],
): Promise<void> {
  const { environment, workspaceId, versionId, name } = claimant
  await releaseRoutes(db, environment, versionId)
  const claims = [...new Map(matches.flatMap(toClaims).map((each) => [each.claim, each])).values()]
  await refuseMeeting(db, claimant, claims)
  for (let at = 0; at < claims.length; at += CHUNK) {
    const some = claims.slice(at, at + CHUNK)
    const texts = some.map(({ claim }) => claim)
    const taken = await db
      .selectFrom('route_claims')
      .innerJoin('resources', 'resources.id', 'route_claims.version_id')
      .innerJoin('resources as apis', 'apis.id', 'resources.parent_id')
      .select(['route_claims.claim', 'apis.name as api', 'resources.name as version'])
      .where('route_claims.environment', '=', environment)
      .where('route_claims.claim', 'in', texts)
      .executeTakeFirst()
    if (taken !== undefined) {
      const text = `${name} claims ${taken.claim}, which ${taken.api} ${taken.version} serves in ${environment}.`
      refuse(routeTaken({ detail: text }))
    }
    const rows = some.map((claim) => ({ environment, ...claim, workspace_id: workspaceId, version_id: versionId }))
    await db.insertInto('route_claims').values(rows).execute()
  }
}

/** Says which host and path of another tenant it is, and neither its name nor its conditions, which may hold secrets. */
async function refuseMeeting(db: Kysely<Tables>, claimant: Claimant, claims: readonly Claim[]): Promise<void> {
  const meeting = await findMeeting(db, claimant, claims)
  if (meeting === undefined) return
  const { own, other } = meeting
  const text = `${claimant.name} claims ${toPlaceText(own)}, but another workspace serves ${toPlaceText(other)}`
  refuse(routeTaken({ detail: `${text} in ${claimant.environment}, and some requests fit both.` }))
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
function toClaims(match: RouteMatch): Claim[] {
  const hosts = match.hosts.length === 0 ? ['*'] : match.hosts
  const methods = match.methods.length === 0 ? ['*'] : match.methods
  const conditions = countConditions(match) === 0 ? [''] : toConditionTexts(match)
  const path = toPathShape(match.path)
  const stem = toStem(path)
  return hosts.flatMap((host) =>
    methods.flatMap((method) =>
      conditions.map((condition) => ({ claim: `${method} ${host}${path}${condition}`, host, path, stem })),
    ),
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

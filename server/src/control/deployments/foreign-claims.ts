/**
 * Keeps tenants apart: refuses a route that could take a request which a route of another workspace in the same environment
 * takes, or lose one to it. Claims are looked up by their stems and hosts, so publishing does not read those of everybody.
 */
import type { Kysely, SelectQueryBuilder } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import { createMeetingFinder, hostsToMeet, isOpen, startsOf, type ClaimedPlace } from './route-overlap.ts'

/** A claim of ours, and one of another workspace that could take the same request. */
interface Meeting {
  readonly own: ClaimedPlace
  readonly other: ClaimedPlace
}

/** Bounds of one query; more hosts than that are not asked for by name. */
const CHUNK = 200

/** A claim of another workspace that meets one of these; undefined when there is none. */
export async function findMeeting(
  db: Kysely<Tables>,
  { environment, workspaceId }: { readonly environment: string; readonly workspaceId: string },
  places: readonly ClaimedPlace[],
): Promise<Meeting | undefined> {
  if (places.length === 0) return undefined
  const claims = db.selectFrom('route_claims').where('environment', '=', environment)
  if (!(await hasOthers(claims, workspaceId))) return undefined
  const find = createMeetingFinder(places)
  const hosts = hostsToMeet(new Set(places.map(({ host }) => host)))
  let near = claims.where('workspace_id', '<>', workspaceId).select(['host', 'path', 'stem']).distinct()
  if (hosts !== undefined && hosts.size <= CHUNK) near = near.where('host', 'in', [...hosts])
  for (const stems of toChunks(new Set(places.flatMap(({ stem }) => startsOf(stem))))) {
    const meeting = firstMeeting(await near.where('stem', 'in', stems).execute(), find)
    if (meeting !== undefined) return meeting
  }
  for (const stems of toChunks(topStems(places))) {
    // One `or` of many ranges would make SQLite read every claim instead of using its index.
    const [first, ...rest] = stems.map((stem) =>
      near.where('stem', '>=', `${stem}/`).where('stem', '<', `${stem}${AFTER_SLASH}`),
    )
    const below = first?.unionAll(rest)
    const meeting = firstMeeting((await below?.execute()) ?? [], find)
    if (meeting !== undefined) return meeting
  }
  return undefined
}

/**
 * Most installations have one tenant, and are done by this. The first and the last in an index are two steps whatever
 * the store knows of the table; `<>` may read all claims.
 */
async function hasOthers(claims: SelectQueryBuilder<Tables, 'route_claims', object>, own: string): Promise<boolean> {
  const ids = claims.select('workspace_id').limit(1)
  const first = await ids.orderBy('workspace_id').executeTakeFirst()
  const last = await ids.orderBy('workspace_id', 'desc').executeTakeFirst()
  return [first, last].some((claim) => claim !== undefined && claim.workspace_id !== own)
}

/** The character after the slash: texts are compared by their bytes in both stores. */
const AFTER_SLASH = '0'

/** Stems below which others could be met, without those that lie below one of these themselves. */
function topStems(places: readonly ClaimedPlace[]): string[] {
  const open = new Set(places.filter(isOpen).map(({ stem }) => stem))
  return [...open].filter((stem) => !startsOf(stem).some((start) => start !== stem && open.has(start)))
}

function firstMeeting(
  others: readonly ClaimedPlace[],
  find: ReturnType<typeof createMeetingFinder>,
): Meeting | undefined {
  for (const other of others) {
    const own = find(other)
    if (own !== undefined) return { own, other }
  }
  return undefined
}

function toChunks(texts: Iterable<string>): string[][] {
  const all = [...texts]
  return Array.from({ length: Math.ceil(all.length / CHUNK) }, (_, at) => all.slice(at * CHUNK, (at + 1) * CHUNK))
}

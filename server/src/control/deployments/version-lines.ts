/**
 * The lines of a version in a snapshot: those of its revision, and of a second one while two stand side by side. The
 * second one's keys name its deployment (`routes/books/1.0.0~deployment_…/list`); no name of a version holds a tilde.
 */
import type { Kysely } from 'kysely'
import {
  SPLIT_PARTS,
  type ApiSpec,
  type ReleaseSpec,
  type RouteSpec,
  type SnapshotContent,
  type SplitSpec,
} from '../../kernel/snapshot.ts'
import { toLines } from '../../config/snapshot-lines.ts'
import type { SnapshotLine } from '../../kernel/snapshot-tree.ts'
import type { Tables } from '../../db/tables.ts'
import type { WorkspaceRef, Write } from '../define-route.ts'
import { publishLines, publishUnapproved } from '../snapshots/publish-lines.ts'
import { toSnapshotName } from '../snapshots/snapshot-names.ts'
import { claimRoutes } from './route-claims.ts'

/** A version in an environment. */
export interface VersionPlace {
  readonly environment: string
  readonly workspace: WorkspaceRef
  readonly versionId: string
  readonly api: string
  readonly version: string
}

/** A revision's part of a snapshot, wherever it stands. */
export interface RevisionPart {
  readonly api: ApiSpec
  readonly routes: readonly RouteSpec[]
}

/** A revision and how it stands beside another; undefined: it stands alone. */
export interface PlacedPart {
  readonly part: RevisionPart
  readonly release: ReleaseSpec | undefined
}

export function toPart({ apis, routes }: SnapshotContent): RevisionPart {
  const [api] = apis
  if (api === undefined) throw new TypeError('a revision is one api')
  return { api, routes }
}

/** Makes these revisions, and nothing else, what the version is in its environment; refuses when a route is taken. */
export async function publishParts(write: Write, place: VersionPlace, parts: readonly PlacedPart[]): Promise<void> {
  const { environment, workspace, versionId } = place
  const name = `${place.api} ${place.version}`
  const matches = parts.flatMap(({ part }) => part.routes.map(({ match }) => match))
  await claimRoutes(write.db, { environment, workspaceId: workspace.id, versionId, name }, matches)
  const lines = parts.flatMap(toPlacedLines)
  const kept = new Set(lines.map(({ key }) => key))
  const before = await readLines(write.db, place)
  const removed = before.flatMap(({ key }) => (kept.has(key) ? [] : [key]))
  await publishLines(write, environment, { removed, lines })
}

/** A revision of the version that is live, compiled anew: it stays where it stands. */
export async function republishPart(
  write: Write,
  place: VersionPlace,
  deployment: string,
  part: RevisionPart,
): Promise<void> {
  const known = (await readApis(write.db, place)).find(({ release }) => release?.deployment === deployment)
  const lines = toPlacedLines({ part, release: known?.release })
  await publishUnapproved(write, place.environment, { removed: [], lines })
}

/** The revisions of the version that are live, by deployment; the key is empty for one that stands alone. */
export async function readParts(db: Kysely<Tables>, place: VersionPlace): Promise<ReadonlyMap<string, RevisionPart>> {
  const routes = new Map<string, RouteSpec[]>()
  for (const { key, line } of await readLines(db, place)) {
    if (!key.startsWith('routes/')) continue
    // Written by `toPlacedLines`.
    const { beside = '', ...route } = JSON.parse(line) as RouteSpec
    routes.set(beside, [...(routes.get(beside) ?? []), route])
  }
  const apis = await readApis(db, place)
  return new Map(
    apis.map(({ release, ...api }) => {
      const beside = release?.isBeside === true ? release.deployment : ''
      return [release?.deployment ?? '', { api, routes: routes.get(beside) ?? [] }]
    }),
  )
}

/** Gives `fresh` so much of the callers and the other revision the rest. */
export function shareOut(write: Write, place: VersionPlace, fresh: string, percent: number): Promise<void> {
  return changeSplits(write, place, ({ deployment }) => toShare(percent, deployment === fresh))
}

/** Lets requests with a token of this hash have the revision of `deployment`; a token before it is void. */
export function letTry(write: Write, place: VersionPlace, deployment: string, hash: string): Promise<void> {
  return changeSplits(write, place, () => ({ preview: { deployment, hash } }))
}

/** A line of each revision, whatever the size of the api. */
async function changeSplits(
  write: Write,
  place: VersionPlace,
  toChanges: (release: ReleaseSpec) => Partial<SplitSpec>,
): Promise<void> {
  const apis = (await readApis(write.db, place)).flatMap((api) => {
    const { release } = api
    if (release === undefined) return []
    return [withRelease(api, { ...release, split: { ...release.split, ...toChanges(release) } })]
  })
  await publishLines(write, place.environment, { removed: [], lines: toLines({ ...NO_PARTS, apis }) })
}

/** The newer one has the upper end, so that a growing share takes callers to it and none back. */
export function toShare(percent: number, isFresh: boolean): { readonly from: number; readonly to: number } {
  const border = SPLIT_PARTS - Math.round((SPLIT_PARTS * percent) / 100)
  return isFresh ? { from: border, to: SPLIT_PARTS } : { from: 0, to: border }
}

function toPlacedLines({ part, release }: PlacedPart): SnapshotLine[] {
  const beside = release?.isBeside === true ? { beside: release.deployment } : {}
  const routes = part.routes.map((route) => ({ ...route, ...beside }))
  return toLines({ ...NO_PARTS, apis: [withRelease(part.api, release)], routes })
}

const NO_PARTS = { upstreams: [], apis: [], routes: [], products: [], consumers: [] }

function withRelease(part: ApiSpec, release: ReleaseSpec | undefined): ApiSpec {
  const { release: _, ...api } = part
  return release === undefined ? api : { ...api, release }
}

async function readApis(db: Kysely<Tables>, place: VersionPlace): Promise<ApiSpec[]> {
  const key = `apis/${toPlaceName(place)}`
  const lines = await readLinesBelow(db, place.environment, [`${key}~`], key)
  // Written by `toPlacedLines`.
  return lines.map(({ line }) => JSON.parse(line) as ApiSpec)
}

/** All lines of the version, of one revision or of two. */
function readLines(db: Kysely<Tables>, place: VersionPlace): Promise<SnapshotLine[]> {
  const name = toPlaceName(place)
  const prefixes = [`apis/${name}~`, `routes/${name}/`, `routes/${name}~`]
  return readLinesBelow(db, place.environment, prefixes, `apis/${name}`)
}

/** Lines whose keys begin in one of these ways, and that of `key`. Keys are compared by bytes in both stores. */
async function readLinesBelow(
  db: Kysely<Tables>,
  environment: string,
  prefixes: readonly string[],
  key: string,
): Promise<SnapshotLine[]> {
  return db
    .selectFrom('snapshot_lines')
    .select(['key', 'line'])
    .where('environment', '=', environment)
    .where('line', '<>', '')
    .where((where) =>
      where.or([
        where('key', '=', key),
        ...prefixes.map((prefix) => where.and([where('key', '>=', prefix), where('key', '<', toEndOf(prefix))])),
      ]),
    )
    .orderBy('key')
    .execute()
}

/** The first text after all that begin with the prefix, whose last character is of ASCII. */
function toEndOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
}

function toPlaceName({ workspace, api, version }: VersionPlace): string {
  return `${toSnapshotName(workspace.name, api)}/${version}`
}

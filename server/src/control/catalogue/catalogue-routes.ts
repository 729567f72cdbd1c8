/** The catalogue: which APIs there are, for those who may find them. Publishing puts a version in it, and nobody has to. */
import { z } from 'zod'
import { may, maySee, type Actor } from '../actor.ts'
import { defineRoute, type Call } from '../define-route.ts'
import { toEnvironmentName } from '../environments/environment-names.ts'
import { LIFECYCLE_STATES } from '../lifecycle/lifecycle-store.ts'
import { readCursor, toCursor } from '../resources/cursor.ts'
import { toTime } from '../resources/resource-view.ts'
import { readEntries, type CatalogueEntry, type CatalogueQuery, type Place } from './catalogue-store.ts'

const entry = z.strictObject({
  workspace: z.string(),
  api: z.string(),
  title: z.string(),
  summary: z.string(),
  owner: z.string(),
  team: z.string(),
  labels: z.record(z.string(), z.string()),
  visibility: z.enum(['private', 'workspace', 'public']),
  version: z.string(),
  state: z.enum(LIFECYCLE_STATES),
  sunsetAt: z.iso.datetime().optional(),
  successor: z.string().optional(),
  revision: z.int(),
  documentHash: z.string().optional().meta({ description: 'SHA-256 of the OpenAPI document.' }),
  servers: z.array(z.string()).meta({ description: 'Where it is served; a path alone is one of the gateways.' }),
})

const page = z.strictObject({
  environment: z.string(),
  items: z.array(entry),
  next: z.string().optional(),
  shows: z.literal('live'),
})

const query = z.strictObject({
  environment: z.string().max(100).optional().meta({ description: 'Where it is live. Default: the default one.' }),
  api: z.string().max(200).optional().meta({ description: 'Only versions of this API.' }),
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'Entries of a page.' }),
  cursor: z.string().max(2000).optional().meta({ description: '`next` of the page before.' }),
})

type Wanted = z.output<typeof query>
type Page = z.input<typeof page>

const place = z.tuple([z.string(), z.string(), z.string()]).readonly()

/** Read at once, and again until a page is full: what the caller may not find is left out. */
const CHUNK = 200

export const getCatalogue = defineRoute({
  id: 'getCatalogue',
  method: 'GET',
  path: '/workspaces/{workspace}/catalogue',
  tag: 'catalogue',
  summary: 'Lists what a workspace serves, as far as the caller may find it.',
  permission: 'apis.read',
  effect: 'read',
  query,
  output: page,
  async handle(call) {
    return { body: await toPage(call, call.query, call.workspace.id) }
  },
})

export const getPublicCatalogue = defineRoute({
  id: 'getWholeCatalogue',
  method: 'GET',
  path: '/catalogue',
  tag: 'catalogue',
  summary: 'Lists what all workspaces serve, as far as the caller may find it: elsewhere only what is public.',
  permission: { door: 'signed-in' },
  effect: 'read',
  query,
  output: page,
  async handle(call) {
    return { body: await toPage(call, call.query, undefined) }
  },
})

async function toPage({ db, actor }: Pick<Call, 'db' | 'actor'>, wanted: Wanted, workspaceId?: string): Promise<Page> {
  const environment = await toEnvironmentName(db, wanted.environment)
  const found: CatalogueEntry[] = []
  let after = wanted.cursor === undefined ? undefined : readCursor(wanted.cursor, place)
  while (found.length <= wanted.limit) {
    const parts: CatalogueQuery = { environment, workspaceId, api: wanted.api, after, limit: CHUNK }
    const some = await readEntries(db, parts)
    found.push(...some.filter((each) => mayFind(actor, each)))
    const last = some.at(-1)
    if (last === undefined || some.length < CHUNK) break
    after = placeOf(last)
  }
  const shown = found.slice(0, wanted.limit)
  const last = shown.at(-1)
  const next = found.length > shown.length && last !== undefined ? toCursor(placeOf(last)) : undefined
  return { environment, items: shown.map(toView), next, shows: 'live' }
}

/** `public`: everybody; `workspace`: who may see the workspace; `private`: who may change its APIs. */
function mayFind(actor: Actor, { visibility, workspaceId }: CatalogueEntry): boolean {
  if (visibility === 'public') return true
  if (visibility === 'workspace') return maySee(actor, workspaceId)
  return may(actor, 'apis.write', workspaceId)
}

function toView(found: CatalogueEntry): z.input<typeof entry> {
  const { workspaceId: _, sunsetAtMs, successor, labels, servers, ...facts } = found
  return {
    ...facts,
    labels: { ...labels },
    servers: [...servers],
    ...(sunsetAtMs === null ? {} : { sunsetAt: toTime(sunsetAtMs) }),
    ...(successor === '' ? {} : { successor }),
  }
}

function placeOf({ workspace, api, version }: CatalogueEntry): Place {
  return [workspace, api, version]
}

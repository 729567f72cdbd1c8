/** Which policies a request to a route passes, in which order, and where each of them comes from. */
import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import type { PolicySpec } from '../../kernel/snapshot.ts'
import { defineRoute, type Call } from '../define-route.ts'
import { refuse } from '../control-error.ts'
import type { RoutePolicies } from '../documents/check-part.ts'
import { documentRefused, documentsBusy } from '../documents/document-problems.ts'
import { findActive } from '../deployments/deployment-store.ts'
import { toEnvironmentName } from '../environments/environment-names.ts'
import { notFound } from '../problems.ts'
import { nameOf } from '../resources/define-collection.ts'
import { sourceOf } from '../revisions/revision-store.ts'
import { describeRoute, type VersionSource } from '../versions/compile-version.ts'
import { draftOf, getVersion, readBlob, type VersionRow } from '../versions/version-store.ts'
import { readPolicyLists } from './policy-list-store.ts'

const entry = z.strictObject({
  from: z.enum(['workspace', 'list', 'lifecycle', 'selector', 'api', 'route']).meta({
    description: 'Who wrote it: the workspace for all APIs, a policy list, the API, the route; or what brought it.',
  }),
  list: z.string().optional().meta({ description: 'Name of the policy list.' }),
  id: z.string(),
  kind: z.string(),
  when: z.string().optional(),
  config: z.looseObject({}).meta({ description: 'With all defaults; secrets are references.' }),
})

const view = z.strictObject({
  api: z.string(),
  version: z.string(),
  route: z.string(),
  policies: z.array(entry).meta({ description: 'In the order in which they run, before those of plan and consumer.' }),
  shows: z.enum(['draft', 'live']),
})

type Entry = z.input<typeof entry>

export const getEffectivePolicies = defineRoute({
  id: 'getEffectivePolicies',
  method: 'GET',
  path: '/workspaces/{workspace}/apis/{api}/versions/{version}/effective-policies',
  tag: 'policies',
  summary: 'Shows the policies that apply to a route, in their order, and where each comes from.',
  permission: 'apis.read',
  effect: 'read',
  params: z.strictObject({ api: z.string().max(200), version: z.string().max(200) }),
  query: z.strictObject({
    route: z.string().min(1).max(300).meta({ description: 'Name of the route, or `operationId` of the operation.' }),
    shows: z.enum(['draft', 'live']).default('live').meta({ description: 'The draft, or what is live.' }),
    environment: z.string().max(100).optional().meta({ description: 'Where it is live. Default: the default one.' }),
  }),
  output: view,
  problems: [documentRefused, documentsBusy],
  async handle(call) {
    const { db, workspace, params, query } = call
    const version = await getVersion(db, workspace, params)
    const source = query.shows === 'draft' ? await draftSource(db, version) : await liveSource(call, version)
    const found = await describeRoute(call, source, query.route)
    if (found === undefined) return refuse(notFound({ detail: `There is no route ${JSON.stringify(query.route)}.` }))
    const lists = await readPolicyLists(db, workspace, source.api)
    const policies = toEntries(found, lists)
    return { body: { ...params, route: query.route, policies, shows: query.shows } }
  },
})

async function draftSource(db: Call['db'], { api, row }: VersionRow): Promise<VersionSource> {
  const { settings, specHash } = draftOf(row)
  const spec = specHash === undefined ? undefined : await readBlob(db, specHash)
  return { api: api.name, version: row.name, settings, spec }
}

async function liveSource(
  { db, query }: Call<unknown, { readonly environment?: string | undefined }>,
  { row }: VersionRow,
): Promise<VersionSource> {
  const environment = await toEnvironmentName(db, query.environment)
  const active = await findActive({ db }, row.id, environment)
  if (active === undefined) return refuse(notFound({ detail: `The version is not live in ${environment}.` }))
  const revision = await db
    .selectFrom('revisions')
    .selectAll()
    .where('id', '=', active.revision_id)
    .executeTakeFirstOrThrow()
  return sourceOf(db, revision)
}

/** Lists are simply put one behind the other, so the place of an entry says where it comes from. */
function toEntries({ workspace, api, route }: RoutePolicies, lists: readonly JsonObject[]): Entry[] {
  const ofLists = lists.flatMap((list) => Array.from({ length: countEnabled(list) }, () => nameOf(list)))
  const brought = `apis/${api.name}/${api.version}/`
  return [
    ...workspace.map((each) => toEntry('workspace', each)),
    ...api.policies.slice(0, ofLists.length).map((each, at) => ({ ...toEntry('list', each), list: ofLists[at] })),
    ...api.policies.slice(ofLists.length).map((each) => toEntry(bringerOf(each, brought) ?? 'api', each)),
    ...route.map((each) => toEntry(bringerOf(each, brought) ?? 'route', each)),
  ]
}

function bringerOf({ id }: PolicySpec, begin: string): 'lifecycle' | 'selector' | undefined {
  if (id.startsWith(`${begin}lifecycle/`)) return 'lifecycle'
  return id.startsWith(`${begin}selector/`) ? 'selector' : undefined
}

function countEnabled({ policies }: JsonObject): number {
  return Array.isArray(policies) ? policies.filter((each) => isJsonObject(each) && each['enabled'] !== false).length : 0
}

function toEntry(from: Entry['from'], { id, kind, when, config }: PolicySpec): Entry {
  return { from, id, kind, ...(when === undefined ? {} : { when }), config: { ...config } }
}

/** All routes that a workspace serves in an environment, as the gateways have them. */
import { z } from 'zod'
import { isJsonObject } from '../../kernel/json.ts'
import type { RouteSpec } from '../../kernel/snapshot.ts'
import { defineRoute, type WorkspaceRef } from '../define-route.ts'
import { toEnvironmentName } from '../environments/environment-names.ts'
import { fromSnapshotName } from '../snapshots/snapshot-names.ts'

const fieldMatch = z.strictObject({
  name: z.string(),
  value: z.string().optional(),
  absent: z.boolean().optional().meta({ description: 'The request must not have it.' }),
  orAbsent: z.boolean().optional().meta({ description: 'A request without it fits as well.' }),
  vendor: z.string().optional().meta({ description: 'The value is a version in a media type of this vendor.' }),
})

const view = z.strictObject({
  api: z.string(),
  version: z.string(),
  route: z.string(),
  methods: z.array(z.string()).meta({ description: 'Empty: any.' }),
  hosts: z.array(z.string()).meta({ description: 'Empty: any.' }),
  path: z.string(),
  headers: z.array(fieldMatch),
  query: z.array(fieldMatch),
  when: z.string().optional(),
  upstream: z.string().optional(),
})

const page = z.strictObject({
  environment: z.string(),
  items: z.array(view),
  next: z.string().optional(),
  shows: z.literal('live'),
})

const query = z.strictObject({
  environment: z.string().max(100).optional().meta({ description: 'Default: the default environment.' }),
  api: z.string().max(200).optional().meta({ description: 'Only routes of this API.' }),
  path: z.string().max(2000).optional().meta({ description: 'Only routes whose path begins with this.' }),
  host: z.string().max(255).optional().meta({ description: 'Only routes that answer on this host.' }),
  limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'Entries of a page.' }),
  cursor: z.string().max(2000).optional().meta({ description: '`next` of the page before.' }),
})

type Wanted = z.output<typeof query>

export const listLiveRoutes = defineRoute({
  id: 'listRoutes',
  method: 'GET',
  path: '/workspaces/{workspace}/routes',
  tag: 'routes',
  summary: 'Lists the routes that are live in an environment.',
  permission: 'apis.read',
  effect: 'read',
  query,
  output: page,
  async handle({ control, db, workspace, query: wanted }) {
    const environment = await toEnvironmentName(db, wanted.environment)
    const lines = control.feed.treeOf(environment)?.lines() ?? []
    const keys = new Map(
      [...lines].flatMap(({ key, line }) => (isCandidate(key, workspace, wanted) ? [[key, line] as const] : [])),
    )
    const found: { readonly key: string; readonly route: RouteSpec }[] = []
    for (const key of [...keys.keys()].toSorted()) {
      const route = toRoute(keys.get(key) ?? '')
      if (route !== undefined && isMeant(route, workspace, wanted)) found.push({ key, route })
      if (found.length > wanted.limit) break
    }
    const shown = found.slice(0, wanted.limit)
    const next = found.length > shown.length ? shown.at(-1)?.key : undefined
    return { body: { environment, items: shown.map(({ route }) => toView(route)), next, shows: 'live' } satisfies Page }
  },
})

type Page = z.input<typeof page>

/** By the key alone: a line may be long, and most are of others. */
function isCandidate(key: string, { name }: WorkspaceRef, { cursor }: Wanted): boolean {
  if (!key.startsWith('routes/') || (cursor !== undefined && key <= cursor)) return false
  return fromSnapshotName(key.slice('routes/'.length)).workspace === name
}

function toRoute(line: string): RouteSpec | undefined {
  const value: unknown = JSON.parse(line)
  // Lines under such keys are written by `publishLines`, which takes them from a compiled snapshot.
  return isJsonObject(value) ? (value as unknown as RouteSpec) : undefined
}

function isMeant({ api, match }: RouteSpec, { name }: WorkspaceRef, wanted: Wanted): boolean {
  const owner = fromSnapshotName(api)
  if (owner.workspace !== name || (wanted.api !== undefined && owner.name !== wanted.api)) return false
  if (wanted.path !== undefined && !match.path.startsWith(wanted.path)) return false
  return wanted.host === undefined || answersOn(match.hosts, wanted.host.toLowerCase())
}

function answersOn(hosts: readonly string[], host: string): boolean {
  return (
    hosts.length === 0 || hosts.some((each) => each === host || (each.startsWith('*.') && host.endsWith(each.slice(1))))
  )
}

function toView({ api, apiVersion, name, match, upstream }: RouteSpec): z.input<typeof view> {
  return {
    api: fromSnapshotName(api).name,
    version: apiVersion,
    route: name,
    methods: [...match.methods],
    hosts: [...match.hosts],
    path: match.path,
    headers: match.headers.map((each) => ({ ...each })),
    query: match.query.map((each) => ({ ...each })),
    ...(match.when === undefined ? {} : { when: match.when }),
    ...(upstream === undefined ? {} : { upstream: fromSnapshotName(upstream).name }),
  }
}

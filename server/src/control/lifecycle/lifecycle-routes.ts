/** Where the versions of an API stand in their life, and the steps from one state to the next. */
import { z } from 'zod'
import { address } from '../../kernel/address-syntax.ts'
import { defineRoute, type Call } from '../define-route.ts'
import { refuse } from '../control-error.ts'
import { guarded } from '../environments/check-guarded.ts'
import { invalid } from '../problems.ts'
import { findResource, getResource } from '../resources/resource-store.ts'
import { toTime } from '../resources/resource-view.ts'
import { toPublicAddresses } from '../versions/public-addresses.ts'
import { draftOf, getVersion, type VersionRow } from '../versions/version-store.ts'
import { toApiState } from './api-state.ts'
import { LIFECYCLE_STATES, NO_DATES, readLifecycle, stateOf, type LifecycleRow } from './lifecycle-store.ts'
import { moveVersion } from './move-version.ts'
import { lifecycleProblems, type Step } from './transitions.ts'

const state = z.enum(LIFECYCLE_STATES)

export const lifecycleView = z.strictObject({
  api: z.string(),
  version: z.string(),
  state,
  deprecatedAt: z.iso.datetime().optional(),
  sunsetAt: z.iso.datetime().optional(),
  link: z.string().optional(),
  successor: z.string().optional(),
  reason: z.string().meta({ description: 'Why it is in this state.' }),
  changedAt: z.iso.datetime().optional(),
  changedBy: z.string(),
  shows: z
    .literal('live')
    .meta({ description: 'It holds for every revision of the version, wherever it is deployed.' }),
})

type LifecycleView = z.input<typeof lifecycleView>

export function toLifecycleView(api: string, version: string, row: LifecycleRow | undefined): LifecycleView {
  const time = (ms: number | null | undefined): string | undefined =>
    ms === null || ms === undefined ? undefined : toTime(ms)
  return {
    api,
    version,
    state: stateOf(row),
    deprecatedAt: time(row?.deprecated_at_ms),
    sunsetAt: time(row?.sunset_at_ms),
    link: row?.link || undefined,
    successor: row?.successor || undefined,
    reason: row?.reason ?? '',
    changedAt: time(row?.updated_at_ms),
    changedBy: row?.changed_by ?? '',
    shows: 'live',
  }
}

const moment = (description: string) => z.iso.datetime({ offset: true }).optional().meta({ description })

const transition = z.strictObject({
  to: state.meta({ description: 'The state that it is to have.' }),
  deprecatedAt: moment('Since when it is deprecated. Default: now.'),
  sunsetAt: moment('When a deprecated version is expected to stop answering.'),
  link: address.optional().meta({ description: 'Page about the change.' }),
  successor: z.string().max(2000).optional().meta({
    description: 'What to move to: another version of the API, or an address.',
  }),
  reason: z.string().max(1000).default('').meta({ description: 'Kept in the audit.' }),
  force: z.boolean().default(false).meta({
    description: 'Retires it before its sunset and while it is called. Needs a reason.',
  }),
})

type Wanted = z.output<typeof transition>

export const moveVersionRoute = defineRoute({
  id: 'transitionVersion',
  method: 'POST',
  path: '/workspaces/{workspace}/apis/{api}/versions/{version}/transitions',
  tag: 'lifecycle',
  summary: 'Takes a version to another state of its life, wherever it is deployed.',
  permission: 'apis.write',
  effect: 'action',
  params: z.strictObject({ api: z.string().max(200), version: z.string().max(200) }),
  body: transition,
  output: lifecycleView,
  problems: [...lifecycleProblems, guarded],
  async handle(call) {
    checkWanted(call.body)
    return call.write(async (write) => {
      const version = await getVersion(write.db, call.workspace, call.params)
      const step = await toStep({ ...call, db: write.db }, version, call.body)
      const row = await moveVersion(call, write, version, step)
      return { body: toLifecycleView(version.api.name, version.row.name, row) }
    })
  },
})

function checkWanted({ to, force, reason, deprecatedAt, sunsetAt, link, successor }: Wanted): void {
  const fault = (pointer: string, detail: string): never => refuse(invalid({ detail, errors: [{ pointer, detail }] }))
  const announced = [deprecatedAt, sunsetAt, link, successor].some((each) => each !== undefined)
  if (announced && to !== 'deprecated' && to !== 'retired') fault('/to', `a version that is ${to} announces no end`)
  if (force && to !== 'retired') fault('/force', 'only retiring can be forced')
  if (force && reason.trim() === '') fault('/reason', 'say why it is forced: the audit keeps it')
  if (deprecatedAt !== undefined && sunsetAt !== undefined && Date.parse(sunsetAt) < Date.parse(deprecatedAt)) {
    fault('/sunsetAt', 'must not be before deprecatedAt')
  }
}

/** What is not said stays as it was announced. */
async function toStep(
  { control, db, workspace }: Pick<Call, 'control' | 'db' | 'workspace'>,
  version: VersionRow,
  wanted: Wanted,
): Promise<Step> {
  const { to, reason, force } = wanted
  const before = (await readLifecycle(db, version.row.id)) ?? NO_DATES
  const isAnnounced = to === 'deprecated' || to === 'retired'
  if (!isAnnounced)
    return { to, reason, isForced: false, deprecatedAtMs: null, sunsetAtMs: null, link: '', successor: '' }
  const parse = (text: string | undefined, kept: number | null): number | null =>
    text === undefined ? kept : Date.parse(text)
  return {
    to,
    reason,
    isForced: force,
    deprecatedAtMs: parse(wanted.deprecatedAt, before.deprecated_at_ms ?? control.clock.now()),
    sunsetAtMs: parse(wanted.sunsetAt, before.sunset_at_ms),
    link: wanted.link ?? before.link,
    successor:
      wanted.successor === undefined ? before.successor : await toAddress({ db, workspace }, version, wanted.successor),
  }
}

/** An address as it is; a version of the same API by where it is served. */
async function toAddress(
  { db, workspace }: Pick<Call, 'db' | 'workspace'>,
  { api, row }: VersionRow,
  successor: string,
): Promise<string> {
  if (address.safeParse(successor).success) return successor
  const shelf = { workspaceId: workspace.id, kind: 'version', parentId: api.id }
  const other = successor === row.name ? undefined : await findResource(db, shelf, successor)
  const [served] = other === undefined ? [] : toPublicAddresses(draftOf(other).settings, other.name)
  if (served !== undefined) return served
  const detail = 'neither another version of the API nor an address such as https://api.example.com/v2 or /v2'
  return refuse(invalid({ detail, errors: [{ pointer: '/successor', detail }] }))
}

const apiLifecycle = z.strictObject({
  api: z.string(),
  state: state.meta({
    description: 'The state of the version that counts most: published, deprecated, mock, design, retired.',
  }),
  versions: z.array(lifecycleView),
  shows: z.literal('live'),
})

export const getLifecycle = defineRoute({
  id: 'getLifecycle',
  method: 'GET',
  path: '/workspaces/{workspace}/apis/{api}/lifecycle',
  tag: 'lifecycle',
  summary: 'Shows where an API and its versions stand in their life.',
  permission: 'apis.read',
  effect: 'read',
  params: z.strictObject({ api: z.string().max(200) }),
  output: apiLifecycle,
  async handle({ db, workspace, params }) {
    const api = await getResource(db, { workspaceId: workspace.id, kind: 'api', parentId: '' }, params.api)
    const versions = await db
      .selectFrom('resources')
      .select(['id', 'name'])
      .where('parent_id', '=', api.id)
      .where('kind', '=', 'version')
      .orderBy('name')
      .execute()
    const rows = await db
      .selectFrom('lifecycles')
      .innerJoin('resources', 'resources.id', 'lifecycles.version_id')
      .selectAll('lifecycles')
      .where('resources.parent_id', '=', api.id)
      .execute()
    const byId = new Map(rows.map((row) => [row.version_id, row]))
    const views = versions.map(({ id, name }) => toLifecycleView(api.name, name, byId.get(id)))
    const body: z.input<typeof apiLifecycle> = {
      api: api.name,
      state: toApiState(views.map((view) => view.state)),
      versions: views,
      shows: 'live',
    }
    return { body }
  },
})

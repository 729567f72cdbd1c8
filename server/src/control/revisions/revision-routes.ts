/** Publishing: a draft becomes a revision. Nothing is live by that; deploying it is another step. */
import { z } from 'zod'
import { defineRoute } from '../define-route.ts'
import { refuse } from '../control-error.ts'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import { breakingRefused, documentRefused, documentsBusy, lintRefused } from '../documents/document-problems.ts'
import { allowBreaking, reviewDraft, toBriefReport } from '../documents/review-draft.ts'
import { preconditionFailed } from '../problems.ts'
import { toTime } from '../resources/resource-view.ts'
import { issueTestKey, testKeysRefused, testKeyView, testKeyWish } from '../test-keys/issue-test-key.ts'
import { checkVersion } from '../versions/compile-version.ts'
import { draftOf, getVersion, readBlob } from '../versions/version-store.ts'
import { contentOf, getRevision, publishRevision, type Revision } from './revision-store.ts'

const params = z.strictObject({ api: z.string().max(200), version: z.string().max(200) })
const path = '/workspaces/{workspace}/apis/{api}/versions/{version}/revisions'

export const revisionView = z.strictObject({
  id: z.string(),
  api: z.string(),
  version: z.string(),
  number: z.int(),
  contentHash: z.string(),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  report: z.looseObject({}).meta({ description: 'What the checks found, and what changed against the last revision.' }),
})

export function toRevisionView(revision: Revision): z.input<typeof revisionView> {
  const { api, version } = contentOf(revision)
  return {
    id: revision.id,
    api,
    version,
    number: revision.number,
    contentHash: revision.content_hash,
    createdAt: toTime(revision.created_at_ms),
    createdBy: revision.created_by,
    report: { ...reportOf(revision) },
  }
}

function reportOf({ id, report }: Revision): JsonObject {
  const value: unknown = JSON.parse(report)
  if (!isJsonObject(value)) throw new TypeError(`the report of ${id} is no object`)
  return value
}

export const createRevision = defineRoute({
  id: 'publishVersion',
  method: 'POST',
  path,
  tag: 'revisions',
  summary: 'Publishes the draft of a version as an immutable revision.',
  permission: 'revisions.write',
  effect: 'create',
  params,
  body: z.strictObject({ allowBreaking, testKey: testKeyWish.optional() }).optional(),
  output: revisionView.extend({ testKey: testKeyView.optional() }),
  problems: [lintRefused, breakingRefused, documentRefused, documentsBusy, testKeysRefused],
  async handle(call) {
    const { control, actor, workspace, db, body } = call
    const { api, row } = await getVersion(call.db, workspace, call.params)
    const { settings, specHash } = draftOf(row)
    const spec = specHash === undefined ? undefined : await readBlob(call.db, specHash)
    const routes = await checkVersion(call, { api: api.name, version: row.name, settings, spec })
    const draft = { versionId: row.id, spec, routes, allowBreaking: body?.allowBreaking }
    const review = await reviewDraft({ control, db, workspace }, draft)
    return call.write(async (write) => {
      const { row: current } = await getVersion(write.db, workspace, call.params)
      if (current.version !== row.version) refuse(preconditionFailed())
      const { revision, isNew } = await publishRevision(write.db, {
        id: control.newId('revision'),
        api,
        version: current,
        review,
        nowMs: control.clock.now(),
        by: actor.id,
      })
      const shown = toRevisionView(revision)
      const name = `${shown.api} ${shown.version} #${shown.number}`
      const { reason } = review
      write.note({ kind: 'revision', id: revision.id, name, ...(reason && { after: { allowBreaking: reason } }) })
      const wish = body?.testKey
      const testKey = wish === undefined ? undefined : await issueTestKey(call, write, wish.environment)
      return { status: isNew ? 201 : 200, body: { ...shown, ...(testKey && { testKey }) } }
    })
  },
})

export const listRevisions = defineRoute({
  id: 'listRevisions',
  method: 'GET',
  path,
  tag: 'revisions',
  summary: 'Lists the revisions of a version, the latest first.',
  permission: 'revisions.read',
  effect: 'read',
  params,
  query: z.strictObject({
    limit: z.coerce.number().int().min(1).max(200).default(50),
    before: z.coerce.number().int().min(1).optional().meta({ description: 'Only revisions with a lower number.' }),
  }),
  output: z.strictObject({ items: z.array(revisionView), next: z.string().optional() }),
  async handle({ db, workspace, params: { api, version }, query }) {
    const { row } = await getVersion(db, workspace, { api, version })
    let rows = db.selectFrom('revisions').selectAll().where('version_id', '=', row.id)
    if (query.before !== undefined) rows = rows.where('number', '<', query.before)
    const found = await rows
      .orderBy('number', 'desc')
      .limit(query.limit + 1)
      .execute()
    const page = found.slice(0, query.limit)
    const next = found.length > page.length ? String(page.at(-1)?.number) : undefined
    return {
      body: { items: page.map((each) => ({ ...toRevisionView(each), report: toBriefReport(reportOf(each)) })), next },
    }
  },
})

export const getRevisionRoute = defineRoute({
  id: 'getRevision',
  method: 'GET',
  path: `${path}/{number}`,
  tag: 'revisions',
  summary: 'Shows a revision with the settings that it froze.',
  permission: 'revisions.read',
  effect: 'read',
  params: params.extend({ number: z.coerce.number().int().min(1) }),
  output: revisionView.extend({ settings: z.looseObject({}), specHash: z.string().optional() }),
  async handle({ db, workspace, params: { number, ...names } }) {
    const { row } = await getVersion(db, workspace, names)
    const revision = await getRevision(db, row.id, number)
    const { settings, specHash } = contentOf(revision)
    return { body: { ...toRevisionView(revision), settings: { ...settings }, specHash } }
  },
})

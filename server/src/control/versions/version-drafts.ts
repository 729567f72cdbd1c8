/** Writing drafts of versions, for their operations and for `apply`. */
import type { JsonObject } from '../../kernel/json.ts'
import type { Call, Write } from '../define-route.ts'
import { keepDocument } from '../documents/keep-document.ts'
import { insertResource, replaceResource, type Resource } from '../resources/resource-store.ts'
import { toResourceNote } from '../resources/resource-view.ts'
import { writeSecrets } from '../secrets/secret-values.ts'
import { extractDraftSecrets, removeLeftSecrets } from './draft-secrets.ts'
import { draftOf } from './version-store.ts'

/** A draft as it was sent: without the defaults of the schema. */
export interface GivenDraft {
  readonly name: string
  readonly settings: JsonObject
  /** The document as text. */
  readonly spec: string | undefined
  /** Without a document the one that is there stays; else it goes. */
  readonly keepsSpec: boolean
}

export interface DraftParts {
  readonly call: Pick<Call, 'control' | 'actor' | 'workspace' | 'expectedVersion'>
  readonly write: Write
  readonly api: Resource
  readonly draft: GivenDraft
  /** Who manages it as code; undefined leaves that as it is. */
  readonly source?: string
}

export async function insertVersion(parts: DraftParts): Promise<Resource> {
  const { call, write, api, draft, source = '' } = parts
  const nowMs = call.control.clock.now()
  const row: Resource = {
    id: call.control.newId('version'),
    workspace_id: call.workspace.id,
    kind: 'version',
    parent_id: api.id,
    environment: '',
    name: draft.name,
    spec: await toStored(parts, undefined),
    search: `${api.name} ${draft.name}`.toLowerCase(),
    source,
    updated_by: call.actor.id,
    version: 1,
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  }
  await insertResource(write.db, row)
  write.note(toResourceNote(undefined, row))
  return row
}

export async function updateVersion(parts: DraftParts, before: Resource): Promise<Resource> {
  const { call, write, source } = parts
  const changes = {
    spec: await toStored(parts, before),
    updated_by: call.actor.id,
    updated_at_ms: call.control.clock.now(),
    ...(source === undefined ? {} : { source }),
  }
  const after = await replaceResource(write.db, before, changes, call.expectedVersion)
  await removeLeftSecrets(parts, before, after)
  write.note(toResourceNote(before, after))
  return after
}

async function toStored(parts: DraftParts, before: Resource | undefined): Promise<string> {
  const { call, write, draft } = parts
  const { document: settings, secrets } = await extractDraftSecrets(parts, before)
  await writeSecrets(write.db, call.control, call.workspace, secrets, call.actor.id)
  const knownHash = before === undefined || !draft.keepsSpec ? undefined : draftOf(before).specHash
  const specHash = draft.spec === undefined ? knownHash : await keepDocument(call, write, draft.spec)
  return JSON.stringify({ settings, specHash })
}

/** Writing drafts of versions, for their operations and for `apply`. */
import type { JsonObject } from '../../kernel/json.ts'
import type { Call, Write } from '../define-route.ts'
import { insertResource, replaceResource, type Resource } from '../resources/resource-store.ts'
import { toResourceNote } from '../resources/resource-view.ts'
import { extractSecrets } from '../resources/secret-references.ts'
import { writeSecrets } from '../secrets/secret-values.ts'
import { version } from './version-schema.ts'
import { draftOf, writeBlob } from './version-store.ts'

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
    spec: await toStored(parts, draftOf(before).specHash),
    updated_by: call.actor.id,
    updated_at_ms: call.control.clock.now(),
    ...(source === undefined ? {} : { source }),
  }
  const after = await replaceResource(write.db, before, changes, call.expectedVersion)
  write.note(toResourceNote(before, after))
  return after
}

/** What the secrets of a version are named after. Names may have dots, so those of the API are doubled. */
export function toVersionSecrets(api: string, name: string): string {
  return `apis.${api.replaceAll('.', '..')}.${name}`
}

async function toStored({ call, write, api, draft }: DraftParts, knownHash: string | undefined): Promise<string> {
  const { control, workspace, actor } = call
  const owner = toVersionSecrets(api.name, draft.name)
  const { document: settings, secrets } = extractSecrets(draft.settings, version, control.policies, owner)
  await writeSecrets(write.db, control, workspace, secrets, actor.id)
  const specHash =
    draft.spec !== undefined ? await writeBlob(write.db, draft.spec) : draft.keepsSpec ? knownHash : undefined
  return JSON.stringify({ settings, specHash })
}

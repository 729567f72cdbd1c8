/**
 * Secrets of a draft. What is written into a draft must not reach what is live: a literal with another value than before
 * becomes another secret, beside the one that revisions refer to, which may be live or come back by a rollback.
 */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import type { Call, Write } from '../define-route.ts'
import { findResource, removeResource, type Resource } from '../resources/resource-store.ts'
import { extractSecrets, referredSecrets, type SecretValues } from '../resources/secret-references.ts'
import { isMentioned } from '../secrets/secret-uses.ts'
import { readSecretValues, toSecretShelf } from '../secrets/secret-values.ts'
import type { GivenDraft } from './version-drafts.ts'
import { version } from './version-schema.ts'

export interface DraftOwner {
  readonly call: Pick<Call, 'control' | 'workspace'>
  readonly write: Pick<Write, 'db'>
  readonly api: Resource
  readonly draft: Pick<GivenDraft, 'name' | 'settings'>
}

/** The settings with references for their secrets, and those secrets. `before` is the draft that is there. */
export async function extractDraftSecrets(
  owner: DraftOwner,
  before: Resource | undefined,
): Promise<ReturnType<typeof extractSecrets>> {
  const { call, write, draft } = owner
  const { control, workspace } = call
  const prefix = toPrefix(owner)
  const extract = (known?: SecretValues): ReturnType<typeof extractSecrets> =>
    extractSecrets(draft.settings, version, control.policies, prefix, known)
  const plain = extract()
  if (plain.secrets.length === 0) return plain
  const values = await readSecretValues(write.db, control, workspace, prefix)
  const found = extract(values)
  if (before === undefined || found.secrets.every(({ name }) => values.has(name))) return found
  // A name is not free because somebody removed the secret: revisions that refer to it are not to get another value.
  const lost = (await listReferred(write.db, before)).map((name) => [name, undefined] as const)
  return extract(new Map<string, string | undefined>([...lost, ...values]))
}

/** Names of all secrets that revisions of a version refer to. */
async function listReferred(db: Kysely<Tables>, { id }: Resource): Promise<string[]> {
  const revisions = await db.selectFrom('revisions').select('content').where('version_id', '=', id).execute()
  return revisions.flatMap(({ content }) => [...referredSecrets(content)])
}

/** Removes what the draft had as literals before, has no longer, and no revision was published with. */
export async function removeLeftSecrets(owner: DraftOwner, before: Resource, after: Resource): Promise<void> {
  const { call, write } = owner
  const prefix = toPrefix(owner)
  const still = referredSecrets(after.spec)
  for (const name of referredSecrets(before.spec)) {
    if (!name.startsWith(`${prefix}.`) || still.has(name)) continue
    if (await isMentioned(write.db, call.workspace, before.id, name)) continue
    const secret = await findResource(write.db, toSecretShelf(call.workspace), name)
    if (secret !== undefined) await removeResource(write.db, secret, undefined)
  }
}

/** Names may have dots, so those of the API are doubled: two versions have no secret in common. */
function toPrefix({ api, draft }: DraftOwner): string {
  return `apis.${api.name.replaceAll('.', '..')}.${draft.name}`
}

/** Writes the policies that a workspace gives to all its APIs; what is live is compiled anew with them. */
import { toCanonicalJson } from '../../config/canonical-json.ts'
import { isJsonObject, type JsonValue } from '../../kernel/json.ts'
import type { Call, Write } from '../define-route.ts'
import { redeployWorkspace } from '../deployments/redeploy.ts'
import { extractSecrets } from '../resources/secret-references.ts'
import { writeSecrets } from '../secrets/secret-values.ts'
import { workspaceSettings } from './workspace-settings.ts'

export interface WrittenPolicies {
  /** As they are kept, with references for secrets. */
  readonly policies: JsonValue
  /** Also when a secret in them has another value, which the references do not show. */
  readonly hasChanged: boolean
}

/** `given` was checked. The audit is the caller's. */
export async function writeWorkspacePolicies(
  call: Pick<Call, 'control' | 'actor' | 'workspace'>,
  write: Write,
  given: readonly JsonValue[],
): Promise<WrittenPolicies> {
  const { control, actor, workspace } = call
  const { document, secrets } = extractSecrets({ policies: given }, workspaceSettings, control.policies, 'workspace')
  const hasNewSecret = await writeSecrets(write.db, control, workspace, secrets, actor.id)
  const row = await write.db
    .selectFrom('workspaces')
    .selectAll()
    .where('id', '=', workspace.id)
    .executeTakeFirstOrThrow()
  const policies = document['policies'] ?? []
  const value: unknown = JSON.parse(row.settings)
  const known = isJsonObject(value) ? value : {}
  const settings = JSON.stringify({ ...known, policies })
  const isSame = toCanonicalJson(known['policies'] ?? []) === toCanonicalJson(policies)
  if (isSame && !hasNewSecret) return { policies, hasChanged: false }
  await write.db
    .updateTable('workspaces')
    .set({ settings, version: row.version + 1, updated_at_ms: control.clock.now() })
    .where('id', '=', workspace.id)
    .execute()
  await redeployWorkspace(call, write)
  return { policies, hasChanged: true }
}

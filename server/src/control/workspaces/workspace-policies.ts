/** Writes the policies that a workspace gives to all its APIs; what is live is compiled anew with them. */
import { toCanonicalJson } from '../../config/canonical-json.ts'
import { isJsonObject, type JsonValue } from '../../kernel/json.ts'
import type { Call, Write } from '../define-route.ts'
import { redeployWorkspace } from '../deployments/redeploy.ts'
import { extractSecrets } from '../resources/secret-references.ts'
import { writeSecret } from '../secrets/secret-values.ts'
import { workspaceSettings } from './workspace-settings.ts'

/** `given` was checked. Returns the policies as they are kept, with references for secrets. */
export async function writeWorkspacePolicies(
  call: Pick<Call, 'control' | 'actor' | 'workspace'>,
  write: Write,
  given: readonly JsonValue[],
): Promise<JsonValue> {
  const { control, actor, workspace } = call
  const { document, secrets } = extractSecrets({ policies: given }, workspaceSettings, control.policies, 'workspace')
  for (const secret of secrets) await writeSecret(write.db, control, workspace, secret, actor.id)
  const row = await write.db
    .selectFrom('workspaces')
    .selectAll()
    .where('id', '=', workspace.id)
    .executeTakeFirstOrThrow()
  const policies = document['policies'] ?? []
  const known: unknown = JSON.parse(row.settings)
  const settings = JSON.stringify({ ...(isJsonObject(known) ? known : {}), policies })
  if (toCanonicalJson(known) === toCanonicalJson(JSON.parse(settings))) return policies
  await write.db
    .updateTable('workspaces')
    .set({ settings, version: row.version + 1, updated_at_ms: control.clock.now() })
    .where('id', '=', workspace.id)
    .execute()
  await redeployWorkspace(call, write)
  write.note({ kind: 'workspace', id: row.id, name: row.name, after: { policies } })
  return policies
}

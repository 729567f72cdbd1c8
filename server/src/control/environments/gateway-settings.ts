/** Writes the settings of the gateways of an environment, for their operation and for `apply`. */
import type { Kysely } from 'kysely'
import { gatewaySettings } from '../../config/schema/gateway.ts'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import { toCanonicalJson } from '../../config/canonical-json.ts'
import { toHeaderLine } from '../../config/snapshot-lines.ts'
import type { Tables } from '../../db/tables.ts'
import { inlineCertificates, listenerCertificates } from '../certificates/certificate-names.ts'
import type { Control } from '../control.ts'
import type { Call, Write } from '../define-route.ts'
import { checkVersion } from '../resources/resource-store.ts'
import { extractSecrets, referredSecrets } from '../resources/secret-references.ts'
import { toSecretShelf, withSecrets, writeSecrets, type SecretOwner } from '../secrets/secret-values.ts'
import { checkDocument } from '../snapshots/compile-lines.ts'
import { publishLines } from '../snapshots/publish-lines.ts'
import { DEFAULT_WORKSPACE } from '../snapshots/snapshot-names.ts'
import { findWorkspace } from '../workspaces/find-workspace.ts'
import { checkGuarded } from './check-guarded.ts'
import { readEnvironment } from './read-environment.ts'

export interface WrittenSettings {
  /** Of the environment. */
  readonly id: string
  readonly before: JsonObject
  /** With references for secrets. */
  readonly after: JsonObject
  readonly version: number
  /** Also when a secret in them has another value, which the references do not show. */
  readonly hasChanged: boolean
}

/** `given` was checked; its secrets become those of settings, which no workspace reaches. The audit is the caller's. */
export async function writeGatewaySettings(
  { control, actor }: Pick<Call, 'control' | 'actor'>,
  write: Write,
  environment: string,
  given: JsonObject,
  expectedVersion: number | undefined,
): Promise<WrittenSettings> {
  const row = await readEnvironment(write.db, environment)
  checkVersion(row, expectedVersion)
  const owner = await settingsOwner(write.db)
  const { document, secrets } = extractSecrets(given, gatewaySettings, control.policies, `environments.${environment}`)
  const hasNewSecret = await writeSecrets(write.db, control, owner, secrets, actor.id)
  const before = toSettings(JSON.parse(row.gateway))
  publishListenerAtEnd(control, write, row.name)
  const written = { id: row.id, before, after: document }
  const isSame = toCanonicalJson(before) === toCanonicalJson(document)
  if (isSame && !hasNewSecret) return { ...written, version: row.version, hasChanged: false }
  if (row.needs_approval === 1) checkGuarded(write, environment)
  const version = row.version + 1
  const changes = { gateway: JSON.stringify(document), version, updated_at_ms: control.clock.now() }
  await write.db.updateTable('environments').set(changes).where('id', '=', row.id).execute()
  await forgetUnusedSecrets(write)
  return { ...written, version, hasChanged: true }
}

/** Once, however much of the listener a transaction changes: its settings, and certificates of workspaces. */
export function publishListenerAtEnd(control: Control, write: Write, environment: string): void {
  write.atEnd(`listener of ${environment}`, async () => {
    await publishGatewaySettings(control, write, await readEnvironment(write.db, environment))
  })
}

/** Compiles the settings with their secrets, for the gateways of the environment. */
export async function publishGatewaySettings(
  control: Control,
  write: Write,
  { name, gateway }: { readonly name: string; readonly gateway: string },
): Promise<void> {
  const settings = await withSecrets(write.db, control, await settingsOwner(write.db), toSettings(JSON.parse(gateway)))
  const compiled = checkDocument(control, { gateway: await withCertificates(control, write, name, settings) })
  await publishLines(write, name, { removed: [], lines: [{ key: 'header', line: toHeaderLine(compiled) }] })
}

/** Those that stand in the settings come first: the first of all serves clients that ask for no known name. */
async function withCertificates(
  control: Control,
  write: Write,
  environment: string,
  settings: JsonObject,
): Promise<JsonObject> {
  const { tls, ...rest } = settings
  const given = isJsonObject(tls) ? tls : {}
  const certificates = [
    ...inlineCertificates(settings),
    ...(await listenerCertificates(write.db, control, environment)),
  ]
  // Without any there is nothing to terminate TLS with: the port for it takes no connection until one is there.
  return certificates.length === 0 ? rest : { ...rest, tls: { ...given, certificates } }
}

/** Environments belong to no workspace: what is theirs lies in the default one, which always stays. */
export async function settingsOwner(db: Kysely<Tables>): Promise<SecretOwner> {
  const home = await findWorkspace(db, DEFAULT_WORKSPACE)
  if (home !== undefined) return { id: home.id, secretKind: 'gateway-secret' }
  throw new Error('an installation has its default workspace')
}

/** Nothing else can name a secret of settings or take it away, so it goes with the last settings that refer to it. */
export async function forgetUnusedSecrets({ db }: Write): Promise<void> {
  const rows = await db.selectFrom('environments').select('gateway').execute()
  const used = rows.flatMap(({ gateway }) => [...referredSecrets(gateway)])
  const { workspaceId, kind } = toSecretShelf(await settingsOwner(db))
  let unused = db.deleteFrom('resources').where('workspace_id', '=', workspaceId).where('kind', '=', kind)
  if (used.length > 0) unused = unused.where('name', 'not in', used)
  await unused.execute()
}

export function toSettings(value: unknown): JsonObject {
  if (isJsonObject(value)) return value
  throw new TypeError('settings of gateways are an object')
}

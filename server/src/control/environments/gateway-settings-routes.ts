/** Settings of the gateways of an environment: TLS, limits, trust, logs. The gateways take them as they take routes. */
import { z } from 'zod'
import { gatewaySettings } from '../../config/schema/gateway.ts'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import { toHeaderLine } from '../bootstrap.ts'
import { defineRoute } from '../define-route.ts'
import { checkVersion } from '../resources/resource-store.ts'
import { extractSecrets } from '../resources/secret-references.ts'
import { writeSecret } from '../secrets/secret-values.ts'
import { checkDocument, compileDocument } from '../snapshots/compile-lines.ts'
import { publishLines } from '../snapshots/publish-lines.ts'
import { DEFAULT_WORKSPACE } from '../snapshots/snapshot-names.ts'
import { findWorkspace } from '../workspaces/find-workspace.ts'
import { readEnvironment } from './environment-routes.ts'

const params = z.strictObject({ environment: z.string().max(100) })
const path = '/environments/{environment}/gateway'
const view = z.looseObject({})

export const getGatewaySettings = defineRoute({
  id: 'getGatewaySettings',
  method: 'GET',
  path,
  tag: 'environments',
  summary: 'Shows the settings of the gateways of an environment; secrets are references.',
  permission: 'environments.read',
  effect: 'read',
  params,
  output: view,
  async handle({ db, params: { environment } }) {
    const row = await readEnvironment(db, environment)
    return { body: { ...toDocument(JSON.parse(row.gateway)) }, etag: row.version }
  },
})

export const replaceGatewaySettings = defineRoute({
  id: 'replaceGatewaySettings',
  method: 'PUT',
  path,
  tag: 'environments',
  summary: 'Replaces the settings of the gateways of an environment.',
  permission: 'environments.write',
  effect: 'change',
  params,
  body: gatewaySettings,
  output: view,
  async handle(call) {
    const { control, actor, params: names } = call
    const given = toDocument(call.given)
    checkDocument(control, { gateway: given })
    const owner = `environments.${names.environment}`
    const { document, secrets } = extractSecrets(given, gatewaySettings, control.policies, owner)
    return call.write(async (write) => {
      const before = await readEnvironment(write.db, names.environment)
      checkVersion(before, call.expectedVersion)
      const home = await findWorkspace(write.db, DEFAULT_WORKSPACE)
      if (home === undefined) throw new Error('an installation has its default workspace')
      for (const secret of secrets) await writeSecret(write.db, control, home, secret, actor.id)
      const changes = {
        gateway: JSON.stringify(document),
        version: before.version + 1,
        updated_at_ms: control.clock.now(),
      }
      await write.db.updateTable('environments').set(changes).where('id', '=', before.id).execute()
      const compiled = await compileDocument(write.db, control, home, { gateway: document })
      const line = toHeaderLine(compiled)
      await publishLines(write, before.name, { removed: [], lines: [{ key: 'header', line }] })
      const note = { kind: 'environment', id: before.id, name: before.name }
      write.note({ ...note, before: toDocument(JSON.parse(before.gateway)), after: document })
      return { body: { ...document }, etag: changes.version }
    })
  },
})

function toDocument(value: unknown): JsonObject {
  if (isJsonObject(value)) return value
  throw new TypeError('settings of gateways are an object')
}

/** Settings of the gateways of an environment: TLS, limits, trust, logs. The gateways take them as they take routes. */
import { z } from 'zod'
import { gatewaySettings } from '../../config/schema/gateway.ts'
import { defineRoute } from '../define-route.ts'
import { checkDocument } from '../snapshots/compile-lines.ts'
import { guarded } from './check-guarded.ts'
import { readEnvironment } from './read-environment.ts'
import { toSettings, writeGatewaySettings } from './gateway-settings.ts'

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
    return { body: { ...toSettings(JSON.parse(row.gateway)) }, etag: row.version }
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
  problems: [guarded],
  async handle(call) {
    const { environment } = call.params
    const given = toSettings(call.given)
    checkDocument(call.control, { gateway: given })
    return call.write(async (write) => {
      const written = await writeGatewaySettings(call, write, environment, given, call.expectedVersion)
      const { id, before, after, version } = written
      write.note({ kind: 'environment', id, name: environment, before, after })
      return { body: { ...after }, etag: version }
    })
  },
})

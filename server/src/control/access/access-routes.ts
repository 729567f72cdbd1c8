/** The settings of how people sign in. */
import { defineRoute } from '../define-route.ts'
import { checkVersion } from '../resources/resource-store.ts'
import { accessSettings, readAccess, writeAccess } from './access-settings.ts'

export const getAccess = defineRoute({
  id: 'getAccess',
  method: 'GET',
  path: '/access',
  tag: 'access',
  summary: 'Shows how people may sign in.',
  permission: 'access.read',
  effect: 'read',
  output: accessSettings,
  async handle({ db }) {
    const { version, settings } = await readAccess(db)
    return { body: settings, etag: version }
  },
})

export const replaceAccess = defineRoute({
  id: 'replaceAccess',
  method: 'PUT',
  path: '/access',
  tag: 'access',
  summary: 'Sets how people may sign in.',
  permission: 'access.write',
  effect: 'change',
  body: accessSettings,
  output: accessSettings,
  handle: (call) =>
    call.write(async (write) => {
      const before = await readAccess(write.db)
      checkVersion(before, call.expectedVersion)
      const version = before.version + 1
      await writeAccess(write.db, version, call.body)
      write.note({ kind: 'access-settings', id: '', name: '', before: before.settings, after: call.body })
      return { body: call.body, etag: version }
    }),
})

import { expect, test } from 'vitest'
import { createPerson } from '../../../test/control-people.ts'
import { describeOnEveryStore, type TestStore } from '../../../test/database.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import type { JsonObject } from '../../kernel/json.ts'

const NAME = 'environments.production.debugKey'
const REFERENCE = `\${secret:${NAME}}`
const KEY = 'the-debug-key-of-production'
const secrets = '/workspaces/default/secrets'

function headerOf({ control }: TestControl): string {
  return control.feed.treeOf('production')?.get('header') ?? ''
}

function put({ call }: TestControl, settings: JsonObject, environment = 'production') {
  return call('PUT', `/environments/${environment}/gateway`, { body: settings, headers: { 'if-match': '*' } })
}

async function keptSecrets({ database }: TestControl): Promise<string[]> {
  const rows = await database.read.selectFrom('resources').select('name').where('kind', '=', 'gateway-secret').execute()
  return rows.map(({ name }) => name).toSorted()
}

/** An installation whose gateways have a debug key, and an owner of its default workspace. */
async function place(store: TestStore) {
  const control = await testControl({ database: await store.open() })
  expect((await put(control, { debugKey: KEY })).status).toBe(200)
  await expect.poll(() => headerOf(control)).toContain(KEY)
  const { token } = await createPerson(control, 'owner', 'default')
  return { control, token }
}

describeOnEveryStore('the secrets of gateway settings', (store) => {
  test('are put into no document of any workspace', async () => {
    const { control, token } = await place(store)
    await control.done('POST', '/workspaces', { name: 'red' })
    const headers = [{ name: 'x-key', value: REFERENCE }]
    const body = { name: 'evil', targets: [{ url: 'http://127.0.0.1:1' }], headers }
    for (const [workspace, options] of Object.entries({ default: { body, token }, red: { body } })) {
      const refused = await control.call('POST', `/workspaces/${workspace}/upstreams`, options)
      expect([refused.status, refused.body['detail']]).toEqual([422, expect.stringContaining('has no value')])
    }
  })

  test('are neither shown, set nor removed by the secrets of a workspace', async () => {
    const { control, token } = await place(store)
    const headers = { 'if-match': '*' }
    expect((await control.call('GET', secrets, { token })).body['items']).toEqual([])
    const other = { value: 'a-key-of-somebody-else' }
    expect((await control.call('PUT', `${secrets}/${NAME}`, { token, headers, body: other })).status).toBe(404)
    expect((await control.call('DELETE', `${secrets}/${NAME}`, { token, headers })).status).toBe(404)
    const namesake = { token, body: { name: NAME, value: 'another-key-of-somebody-else' } }
    expect((await control.call('POST', secrets, namesake)).status).toBe(201)
    expect((await control.call('PUT', `${secrets}/${NAME}`, { token, headers, body: other })).status).toBe(200)
    expect((await put(control, { debugKey: REFERENCE, serverTiming: false })).status).toBe(200)
    await expect.poll(() => headerOf(control)).toContain('"serverTiming":false')
    expect(headerOf(control)).toContain(KEY)
    expect(headerOf(control)).not.toContain('somebody-else')
  })

  test('are theirs alone: a secret of a workspace is refused, since whoever sets it would set up all gateways', async () => {
    const { control } = await place(store)
    await control.done('POST', secrets, { name: 'debug-key', value: 'a-key-of-the-workspace' })
    const refused = await put(control, { debugKey: '${secret:debug-key}' })
    expect([refused.status, refused.body['detail']]).toEqual([422, expect.stringContaining('secrets of their own')])
    expect(headerOf(control)).toContain(KEY)
  })

  test('go with the last settings that refer to them, and with their environment', async () => {
    const { control } = await place(store)
    await control.done('POST', '/environments', { name: 'staging' })
    await put(control, { debugKey: 'the-debug-key-of-staging' }, 'staging')
    expect(await keptSecrets(control)).toEqual([NAME, 'environments.staging.debugKey'])
    await control.done('DELETE', '/environments/staging', undefined, { 'if-match': '*' })
    expect(await keptSecrets(control)).toEqual([NAME])
    await put(control, {})
    expect(await keptSecrets(control)).toEqual([])
  })

  test('with another value are a change of the settings, which the audit has once', async () => {
    const { control } = await place(store)
    const document = { headgate: 1, gateway: { debugKey: 'another-debug-key-of-production' } }
    const { outcomes } = await control.done('POST', '/workspaces/default/apply', { document })
    const name = 'production'
    expect(outcomes).toContainEqual({ kind: 'gateway-settings', name, action: 'changed', changes: [] })
    await expect.poll(() => headerOf(control)).toContain('another-debug-key')
    expect(await control.done('POST', '/workspaces/default/apply', { document })).toMatchObject({ changed: false })
    await put(control, { debugKey: REFERENCE, serverTiming: false })
    const { items } = await control.done('GET', '/audit?action=replaceGatewaySettings&limit=1')
    expect(items).toMatchObject([{ before: { debugKey: REFERENCE }, after: { serverTiming: false } }])
    const all = await control.done('GET', '/audit?action=replaceGatewaySettings')
    expect(all['items']).toHaveLength(2)
  })

  test('and the settings themselves are exported only for those who may read settings of the installation', async () => {
    const { control, token } = await place(store)
    const { status, body } = await control.call('GET', '/workspaces/default/export', { token })
    expect([status, body['document']]).toEqual([200, { headgate: 1 }])
    const { token: auditor } = await createPerson(control, 'auditor')
    const exported = await control.call('GET', '/workspaces/default/export', { token: auditor })
    expect(exported.body['document']).toMatchObject({ gateway: { debugKey: REFERENCE } })
  })

  test('are exported as references, which mean the same here and hold back the settings elsewhere', async () => {
    const { control } = await place(store)
    const { document } = await control.done('GET', '/workspaces/default/export')
    expect(document).toMatchObject({ gateway: { debugKey: REFERENCE } })
    const again = await control.done('POST', '/workspaces/default/apply', { document })
    expect(again['outcomes']).toContainEqual(expect.objectContaining({ kind: 'gateway-settings', action: 'unchanged' }))
    const empty = await testControl({ database: await store.open() })
    // A secret of the workspace that happens to have the name is another one.
    await empty.done('POST', secrets, { name: NAME, value: 'a-key-of-somebody-else' })
    const { outcomes } = await empty.done('POST', '/workspaces/default/apply', { document })
    expect(outcomes).toContainEqual(expect.objectContaining({ kind: 'gateway-settings', action: 'held-back' }))
    expect(headerOf(empty)).not.toContain('somebody-else')
  })
})

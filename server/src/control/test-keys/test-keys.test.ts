import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { isJsonObject } from '../../kernel/json.ts'
import { createPerson } from '../../../test/control-people.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { listenLocally } from '../../../test/local-server.ts'
import { publishedGateway } from '../../../test/published-gateway.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { testClock } from '../../../test/test-services.ts'

const AT = '/workspaces/default'
const REVISIONS = `${AT}/apis/books/versions/1/revisions`

async function withBooks(control: TestControl): Promise<void> {
  const { done } = control
  const port = await listenLocally(createServer((_request, response) => response.end()))
  await done('POST', `${AT}/apis`, { name: 'books' })
  await done('POST', `${AT}/upstreams`, { name: 'shop', targets: [{ url: `http://127.0.0.1:${port}` }] })
  const routes = [{ name: 'all', match: { path: '/*' } }]
  const settings = { name: '1', upstream: 'shop', policies: [{ kind: 'key-auth' }], routes }
  await done('POST', `${AT}/apis/books/versions`, { settings })
}

describeOnEveryStore('a test key', (store) => {
  test('comes with publishing for those who ask, opens the API, and is over after a day', async () => {
    // The gateway looks at the real clock.
    const clock = testClock(Date.now())
    const control = await testControl({ database: await store.open(), clock })
    await withBooks(control)
    const { testKey } = await control.done('POST', REVISIONS, { testKey: {} })
    if (!isJsonObject(testKey) || typeof testKey['key'] !== 'string') throw new TypeError('there is no key')
    const expiresAt = new Date(clock.now() + 86_400_000).toISOString()
    expect(testKey).toMatchObject({ consumer: 'test', environment: 'production', expiresAt })
    await control.done('POST', `${AT}/deployments`, { api: 'books', version: '1' })
    const gateway = await publishedGateway(control)
    expect((await gateway.inject('GET /a', { headers: { 'x-api-key': testKey['key'] } })).status).toBe(200)
    expect((await gateway.inject('GET /a')).status).toBe(401)
    expect(JSON.stringify(await control.done('GET', `${AT}/audit`))).not.toContain(testKey['key'])
    // Nobody has to ask, and a second one beside the first is another one.
    expect(await control.done('POST', REVISIONS)).not.toHaveProperty('testKey')
    const again = await control.done('POST', REVISIONS, { testKey: {} })
    expect(again['testKey']).not.toMatchObject({ key: testKey['key'] })
  })
})

test('no test key is made where the environment does not allow it, and nothing is published then', async () => {
  const control = await testControl()
  await withBooks(control)
  await control.done('POST', '/environments', { name: 'live' })
  const { status, body } = await control.call('POST', REVISIONS, { body: { testKey: { environment: 'live' } } })
  expect([status, body['code']]).toEqual([409, 'environment.no_test_keys'])
  expect((await control.done('GET', REVISIONS))['items']).toEqual([])
  await control.done('PUT', '/environments/live', { testKeys: true }, { 'if-match': '*' })
  const { testKey } = await control.done('POST', REVISIONS, { testKey: { environment: 'live' } })
  expect(testKey).toMatchObject({ environment: 'live' })
})

test('who may publish but make no keys gets none', async () => {
  const control = await testControl()
  await withBooks(control)
  const role = { name: 'publisher', permissions: ['apis.read', 'revisions.read', 'revisions.write'] }
  await control.done('POST', '/roles', role)
  const { token } = await createPerson(control, 'publisher')
  const { status, body } = await control.call('POST', REVISIONS, { body: { testKey: {} }, token })
  expect([status, body['detail']]).toEqual([403, 'This needs the permission consumers.write.'])
})

test('an import gives a key when there is none that is good any more', async () => {
  const clock = testClock(Date.now())
  const control = await testControl({ clock })
  const operation = { operationId: 'list', responses: { 200: { description: 'The books.' } } }
  const document = { openapi: '3.1.0', info: { title: 'Books', version: '1' }, paths: { '/a': { get: operation } } }
  const wanted = { document, upstreamUrl: 'http://127.0.0.1:9001' }
  expect(await control.done('POST', `${AT}/imports`, wanted)).toHaveProperty('key')
  expect(await control.done('POST', `${AT}/imports`, wanted)).not.toHaveProperty('key')
  clock.advance(86_400_000)
  expect(await control.done('POST', `${AT}/imports`, wanted)).toHaveProperty('key')
})

import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { isJsonObject, type JsonValue } from '../../kernel/json.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { listenLocally } from '../../../test/local-server.ts'
import { publishedGateway } from '../../../test/published-gateway.ts'
import { testControl } from '../../../test/test-control.ts'

const AT = '/workspaces/default'
const marking = (value: string) => ({ kind: 'headers', config: { response: { add: { 'x-by': value } } } })

/** Two APIs that are live, books and films. */
async function withTwoApis(given: Parameters<typeof testControl>[0] = {}) {
  const control = await testControl(given)
  const { done } = control
  const port = await listenLocally(createServer((_request, response) => response.end()))
  await done('POST', `${AT}/upstreams`, { name: 'shop', targets: [{ url: `http://127.0.0.1:${port}` }] })
  for (const name of ['books', 'films']) {
    await done('POST', `${AT}/apis`, { name })
    const routes = [{ name: 'all', match: { path: '/*' }, policies: [marking('route')] }]
    const settings = { name: '1', basePath: `/${name}`, upstream: 'shop', policies: [marking('api')], routes }
    await done('POST', `${AT}/apis/${name}/versions`, { settings })
    await done('POST', `${AT}/apis/${name}/versions/1/revisions`)
    await done('POST', `${AT}/deployments`, { api: name, version: '1' })
  }
  return control
}

async function answersOf(control: Awaited<ReturnType<typeof withTwoApis>>) {
  const gateway = await publishedGateway(control)
  const by = async (path: string) => (await gateway.inject(`GET ${path}`)).headers['x-by']
  return { books: await by('/books/a'), films: await by('/films/a') }
}

describeOnEveryStore('policy lists of a workspace', (store) => {
  test('hold for the APIs that they name, the default one for all, and are live at once', async () => {
    const control = await withTwoApis({ database: await store.open() })
    await control.done('POST', `${AT}/policies`, { name: 'everywhere', default: true, policies: [marking('default')] })
    await control.done('POST', `${AT}/policies`, { name: 'books-only', apis: ['books'], policies: [marking('list')] })
    // Response phases run in reverse order, so what stands first in the order is added last.
    expect(await answersOf(control)).toEqual({
      books: 'route, api, list, default',
      films: 'route, api, default',
    })
    const changed = { name: 'books-only', apis: ['films'], policies: [marking('moved')] }
    await control.done('PUT', `${AT}/policies/books-only`, changed, { 'if-match': '"1"' })
    await control.done('DELETE', `${AT}/policies/everywhere`, undefined, { 'if-match': '*' })
    expect(await answersOf(control)).toEqual({ books: 'route, api', films: 'route, api, moved' })
  })

  test('are exported and applied to an empty installation, where the export is the same', async () => {
    const control = await withTwoApis({ database: await store.open() })
    await control.done('POST', `${AT}/policies`, { name: 'books-only', apis: ['books'], policies: [marking('list')] })
    const exported = await control.done('GET', `${AT}/export`)
    const { document } = exported
    if (!isJsonObject(document)) throw new TypeError('an export has a document')
    const other = await testControl({ database: await store.open() })
    await other.done('POST', `${AT}/apply`, { document, source: 'ci' })
    expect(await other.done('GET', `${AT}/export`)).toEqual(exported)
    const { policyLists: _, ...without } = document
    await other.done('POST', `${AT}/apply`, { document: without, source: 'ci' })
    expect((await other.done('GET', `${AT}/policies`))['items']).toEqual([])
  })
})

test('what applies to a route is shown in its order and with where it comes from', async () => {
  const control = await withTwoApis()
  await control.done('POST', `${AT}/policies`, { name: 'everywhere', default: true, policies: [marking('default')] })
  const workspace = { title: '', settings: { policies: [{ kind: 'request-size', config: { maxBodyBytes: 100 } }] } }
  await control.done('PUT', AT, workspace, { 'if-match': '*' })
  await control.done('POST', `${AT}/apis/books/versions/1/transitions`, { to: 'deprecated' })
  const path = `${AT}/apis/books/versions/1/effective-policies?route=all`
  const { policies, shows } = await control.done('GET', path)
  const entries: readonly JsonValue[] = Array.isArray(policies) ? policies : []
  const facts = entries.map((each) => (isJsonObject(each) ? [each['from'], each['list'], each['kind']] : each))
  expect([shows, facts]).toEqual([
    'live',
    [
      ['workspace', undefined, 'request-size'],
      ['list', 'everywhere', 'headers'],
      ['lifecycle', undefined, 'deprecation'],
      ['api', undefined, 'headers'],
      ['route', undefined, 'headers'],
    ],
  ])
  expect((await control.done('GET', `${path}&shows=draft`))['shows']).toBe('draft')
  expect((await control.call('GET', `${path}-of-them`)).status).toBe(404)
})

test('a list that cannot work changes nothing', async () => {
  const control = await withTwoApis()
  const create = async (body: object) => (await control.call('POST', `${AT}/policies`, { body })).status
  expect(await create({ name: 'a', apis: ['nothing'], policies: [] })).toBe(422)
  expect(await create({ name: 'a', default: true, apis: ['books'], policies: [] })).toBe(422)
  expect(await create({ name: 'a', default: true, policies: [{ kind: 'nothing' }] })).toBe(422)
  // No API asks who calls, so nothing could be counted by that.
  const needy = { kind: 'rate-limit', config: { limit: 1, windowSeconds: 60, countBy: 'principal' } }
  expect(await create({ name: 'a', default: true, policies: [needy] })).toBe(422)
  expect(await create({ name: 'a', default: true, policies: [marking('a')] })).toBe(201)
  expect(await create({ name: 'b', default: true, policies: [marking('b')] })).toBe(409)
  await control.done('POST', `${AT}/apis`, { name: 'songs' })
  expect(await create({ name: 'c', apis: ['songs'], policies: [marking('c')] })).toBe(201)
  const removal = await control.call('DELETE', `${AT}/apis/songs`, { headers: { 'if-match': '*' } })
  expect(removal.body).toMatchObject({ code: 'admin.in_use', detail: 'The policy list c names it.' })
})

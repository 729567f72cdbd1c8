import { expect, test } from 'vitest'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

function documentOf(lifecycle: JsonObject | undefined): JsonObject {
  const books = { name: 'books', version: '1', basePath: '/shop', upstream: 'shop', routes: [] }
  const routes = [{ name: 'all', match: { path: '/*' } }]
  return {
    headgate: 1,
    upstreams: [{ name: 'shop', targets: [{ url: 'http://127.0.0.1:9001' }] }],
    apis: [{ ...books, routes, ...(lifecycle === undefined ? {} : { lifecycle }) }],
  }
}

const deprecated = {
  state: 'deprecated',
  deprecatedAt: '2026-03-01T00:00:00.000Z',
  sunsetAt: '2026-09-01T00:00:00.000Z',
}

function apply({ done }: TestControl, document: JsonObject): Promise<JsonObject> {
  return done('POST', '/workspaces/default/apply', { document, source: 'ci' })
}

async function stateOf({ done }: TestControl): Promise<unknown> {
  return (await done('GET', '/workspaces/default/apis/books/lifecycle'))['state']
}

test('a document says where a version stands, and an export of it says the same on an empty installation', async () => {
  const control = await testControl()
  await apply(control, documentOf(deprecated))
  expect(await stateOf(control)).toBe('deprecated')
  const exported = await control.done('GET', '/workspaces/default/export')
  expect(JSON.stringify(exported)).toContain('"lifecycle":{')
  const other = await testControl()
  const { document } = exported
  if (!isJsonObject(document)) throw new TypeError('no document')
  await apply(other, document)
  expect(await other.done('GET', '/workspaces/default/export')).toEqual(exported)
})

test('a document that does not speak of it leaves it as it is', async () => {
  const control = await testControl()
  await apply(control, documentOf(deprecated))
  await apply(control, documentOf(undefined))
  expect(await stateOf(control)).toBe('deprecated')
  await apply(control, documentOf({ state: 'published' }))
  expect(await stateOf(control)).toBe('published')
})

test('a document takes no step that people may not take', async () => {
  const control = await testControl()
  await apply(control, documentOf({ state: 'published' }))
  const body = { document: documentOf({ state: 'retired' }), source: 'ci' }
  const { status, body: answer } = await control.call('POST', '/workspaces/default/apply', { body })
  expect([status, answer['code']]).toEqual([409, 'lifecycle.no_such_step'])
  expect(await stateOf(control)).toBe('published')
})

import { expect, test } from 'vitest'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import type { JsonObject } from '../../kernel/json.ts'

const AT = '/workspaces/red'
const shop = { name: 'shop', targets: [{ url: 'http://127.0.0.1:9001' }] }
const own = { name: 'shop', targets: [{ url: 'http://127.0.0.1:9002' }] }
const books = { name: 'books', version: '1', upstream: 'shop', routes: [{ name: 'all', match: { path: '/*' } }] }

function apply({ call }: TestControl, document: JsonObject) {
  return call('POST', `${AT}/apply`, { body: { document: { headgate: 1, ...document } } })
}

function remove({ call }: TestControl, query = '') {
  return call('DELETE', `${AT}/upstreams/shop${query}`, { headers: { 'if-match': '*' } })
}

describeOnEveryStore('an upstream', (store) => {
  test('that a live route calls is not removed, by nobody and no document', async () => {
    const control = await testControl({ database: await store.open() })
    await control.done('POST', '/workspaces', { name: 'red' })
    await control.done('POST', `${AT}/upstreams`, shop)
    expect((await apply(control, { apis: [books] })).status).toBe(200)
    const { status, body } = await remove(control)
    expect([status, body['detail']]).toEqual([
      409,
      expect.stringMatching(/^The route \S*books\S* calls it.* production/),
    ])
    // The one for the environment stands in its place, and may go again as long as the general one is there.
    expect((await apply(control, { apis: [books], upstreams: [own] })).status).toBe(200)
    expect((await apply(control, { apis: [books] })).status).toBe(200)
    await apply(control, { apis: [books], upstreams: [own] })
    expect((await remove(control)).status).toBe(204)
    expect((await apply(control, { apis: [books] })).status).toBe(409)
    expect((await remove(control, '?environment=production')).status).toBe(409)
    expect((await apply(control, {})).status).toBe(200)
  })
})

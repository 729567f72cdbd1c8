import { expect, test } from 'vitest'
import { describeOnEveryStore, type TestStore } from '../../../test/database.ts'
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

async function open(store: TestStore): Promise<TestControl> {
  const control = await testControl({ database: await store.open() })
  await control.done('POST', '/workspaces', { name: 'red' })
  return control
}

describeOnEveryStore('an upstream that a live route calls', (store) => {
  test('is not removed, as long as no other of its name takes its place', async () => {
    const control = await open(store)
    await control.done('POST', `${AT}/upstreams`, shop)
    await apply(control, { apis: [books] })
    const { status, body } = await remove(control)
    expect([status, body['detail']]).toEqual([
      409,
      expect.stringMatching(/^The route \S*books\S* calls it.* production/),
    ])
    await apply(control, { apis: [books], upstreams: [own] })
    expect((await remove(control)).status).toBe(204)
    expect((await remove(control, '?environment=production')).status).toBe(409)
    await control.done('POST', `${AT}/upstreams`, shop)
    expect((await remove(control, '?environment=production')).status).toBe(204)
  })

  test('stays when a document leaves it out, which says so, and goes with what calls it', async () => {
    const control = await open(store)
    await apply(control, { apis: [books], upstreams: [own] })
    const without = { apis: [{ ...books, upstream: 'other' }], upstreams: [{ ...own, name: 'other' }] }
    await control.done('PATCH', '/environments/production', { needsApproval: true }, { 'if-match': '*' })
    const held = { kind: 'upstream', name: 'shop', action: 'held-back', reason: expect.stringContaining('calls it') }
    expect((await apply(control, without)).body['outcomes']).toContainEqual(expect.objectContaining(held))
    await control.done('PATCH', '/environments/production', { needsApproval: false }, { 'if-match': '*' })
    const gone = { kind: 'upstream', action: 'removed' }
    expect((await apply(control, {})).body['outcomes']).toMatchObject([
      expect.anything(),
      expect.anything(),
      expect.anything(),
      gone,
      gone,
    ])
  })
})

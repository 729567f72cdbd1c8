import { expect, test } from 'vitest'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl } from '../../../test/test-control.ts'

const workspace = '/workspaces/default'
const api = `${workspace}/apis/books`
const settings = { name: '1', basePath: '/books', preserveHost: true, policies: [{ kind: 'respond', config: {} }] }

describeOnEveryStore('a patch of what is replaced by an operation of its own', (store) => {
  test('of a version changes the settings that it names, and keeps the rest and the document', async () => {
    const { done } = await testControl({ database: await store.open() })
    await done('POST', `${workspace}/apis`, { name: 'books' })
    const document = {
      openapi: '3.1.0',
      info: { title: 'Books', version: '1' },
      paths: { '/x': { get: { responses: {} } } },
    }
    const { specHash } = await done('POST', `${api}/versions`, { settings, document })
    const patch = { settings: { preserveHost: null, basePath: '/library' } }
    const after = await done('PATCH', `${api}/versions/1`, patch, { 'if-match': '"1"' })
    const { preserveHost: _, ...kept } = settings
    expect(after).toMatchObject({ settings: { ...kept, basePath: '/library' }, specHash, revision: 2 })
    expect(after['settings']).not.toHaveProperty('preserveHost')
    const text = JSON.stringify({ ...document, info: { title: 'Library', version: '1' } })
    const next = await done('PATCH', `${api}/versions/1`, { document: text }, { 'if-match': '"2"' })
    expect(next['settings']).toEqual(after['settings'])
    expect(next['specHash']).not.toBe(specHash)
  })

  test('of a workspace keeps its policies and their secrets', async () => {
    const { done, database } = await testControl({ database: await store.open() })
    const policies = [{ kind: 'jwt', config: { secret: 'a secret of more than thirty-two bytes' } }]
    const given = { title: 'Shop', settings: { policies } }
    await done('PUT', workspace, given, { 'if-match': '*' })
    const secrets = () => database.read.selectFrom('resources').selectAll().where('kind', '=', 'secret').execute()
    const before = await secrets()
    const { settings: kept } = await done('GET', workspace)
    const patch = { settings: { breakingChanges: 'refuse' } }
    const after = await done('PATCH', workspace, patch, { 'if-match': '*' })
    expect(after).toMatchObject({ title: 'Shop', settings: { ...Object(kept), breakingChanges: 'refuse' } })
    expect(before.length).toBe(1)
    expect(await secrets()).toEqual(before)
  })

  test('of an environment leaves the approval alone that it does not name', async () => {
    const { done } = await testControl({ database: await store.open() })
    const path = '/environments/production'
    await done('PATCH', path, { needsApproval: true, testKeys: false }, { 'if-match': '*' })
    const after = await done('PATCH', path, { title: 'Live' }, { 'if-match': '*' })
    expect(after).toMatchObject({ title: 'Live', needsApproval: true, testKeys: false })
  })

  test('needs If-Match, loses to whoever was before, and is checked whole', async () => {
    const { call, done } = await testControl({ database: await store.open() })
    const patch = (body: object, headers: Record<string, string>) => call('PATCH', workspace, { body, headers })
    await done('PUT', workspace, { title: 'Shop', settings: {} }, { 'if-match': '*' })
    const { etag = '' } = Object.fromEntries((await call('GET', workspace)).headers)
    expect((await patch({ title: 'x' }, {})).status).toBe(428)
    expect((await patch({ title: 'x' }, { 'if-match': etag })).status).toBe(200)
    expect((await patch({ title: 'y' }, { 'if-match': etag })).status).toBe(412)
    const { status, body } = await patch({ settings: { breakingChanges: 'maybe' } }, { 'if-match': '*' })
    expect([status, JSON.stringify(body['errors'])]).toEqual([
      422,
      expect.stringContaining('/settings/breakingChanges'),
    ])
  })
})

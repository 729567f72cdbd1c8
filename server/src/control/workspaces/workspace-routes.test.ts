import { expect, test } from 'vitest'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl } from '../../../test/test-control.ts'

const any = { 'if-match': '*' }
const red = '/workspaces/red'

describeOnEveryStore('a workspace', (store) => {
  test('goes when nothing is in it any more, with the history of what was', async () => {
    const control = await testControl({ database: await store.open() })
    const { call, done } = control
    await done('POST', '/workspaces', { name: 'red' })
    const routes = [{ name: 'all', match: { path: '/*' }, policies: [{ kind: 'respond', config: { body: 'x' } }] }]
    const apis = [{ name: 'books', version: '1', basePath: '/red', routes }]
    const consumers = [{ name: 'acme', keys: [{ name: 'main', value: 'a-key-of-acme' }] }]
    await done('POST', `${red}/apply`, { document: { headgate: 1, apis, consumers } })
    await done('POST', `${red}/teams`, { name: 'people' })
    await done('POST', `${red}/members`, { team: 'people', role: 'viewer' })
    const refused = await call('DELETE', red, { headers: any })
    expect([refused.status, refused.body['detail']]).toEqual([409, expect.stringContaining('Remove what is in it')])
    await done('POST', `${red}/apply`, { document: { headgate: 1 } })
    expect(await call('DELETE', red, { headers: any })).toMatchObject({ status: 204 })
    expect((await call('GET', red)).status).toBe(404)
    expect((await done('GET', '/audit?action=apply'))['items']).not.toEqual([])
  })
})

import { expect, test } from 'vitest'
import { createPerson } from '../../../test/control-people.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl } from '../../../test/test-control.ts'

const anyVersion = { 'if-match': '*' }
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
    const refused = await call('DELETE', red, { headers: anyVersion })
    expect([refused.status, refused.body['detail']]).toEqual([409, expect.stringContaining('Remove what is in it')])
    await done('POST', `${red}/apply`, { document: { headgate: 1 } })
    expect(await call('DELETE', red, { headers: anyVersion })).toMatchObject({ status: 204 })
    expect((await call('GET', red)).status).toBe(404)
    expect((await done('GET', '/audit?action=apply'))['items']).not.toEqual([])
  })

  test('tells its settings to those alone who may read them', async () => {
    const control = await testControl({ database: await store.open() })
    await control.done('POST', '/workspaces', { name: 'red' })
    await control.done('POST', `${red}/roles`, { name: 'looks-at-audit', permissions: ['audit.read'] })
    const list = async (role: string) => {
      const { token } = await createPerson(control, role, 'red')
      return (await control.call('GET', '/workspaces', { token })).body['items']
    }
    expect(await list('viewer')).toMatchObject([{ name: 'red', settings: {} }])
    expect(await list('looks-at-audit')).toEqual([expect.not.objectContaining({ settings: expect.anything() })])
  })
})

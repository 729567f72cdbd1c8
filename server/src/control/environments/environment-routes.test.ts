import { expect, test } from 'vitest'
import { textOf } from '../../../test/control-people.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl } from '../../../test/test-control.ts'

describeOnEveryStore('an environment', (store) => {
  test('stays while something is for it alone, which a new one of its name would have again', async () => {
    const { call, done } = await testControl({ database: await store.open() })
    await done('POST', '/environments', { name: 'staging' })
    const document = { headgate: 1, consumers: [{ name: 'acme', keys: [{ name: 'one', value: 'a-key-of-acme' }] }] }
    await done('POST', '/workspaces/default/apply', { document, environment: 'staging', source: 'ours' })
    const remove = () => call('DELETE', '/environments/staging', { headers: { 'if-match': '*' } })
    const refused = await remove()
    expect([refused.status, refused.body['detail']]).toEqual([
      409,
      'The consumer acme of the workspace default is for it alone. Remove that first.',
    ])
    const nothing = { headgate: 1 }
    await done('POST', '/workspaces/default/apply', { document: nothing, environment: 'staging', source: 'ours' })
    expect((await remove()).status).toBe(204)
  })

  test('takes its gateways along: a new one of its name has none, and nobody joins it with an old token', async () => {
    const { call, done } = await testControl({ database: await store.open() })
    const create = () => done('POST', '/environments', { name: 'staging' })
    const makeToken = async () => (await done('POST', '/gateways/join-tokens', { environment: 'staging' }))['token']
    const join = (token: unknown) => call('POST', '/gateway/join', { token: '', body: { token, name: 'edge' } })
    await create()
    const unused = await makeToken()
    const { body: joined } = await join(await makeToken())
    const pull = () => call('GET', '/gateway/snapshot', { token: textOf(joined['token']) })
    expect((await pull()).status).toBe(200)
    await done('DELETE', '/environments/staging', undefined, { 'if-match': '*' })
    await create()
    expect((await pull()).status).toBe(401)
    expect((await join(unused)).status).toBe(401)
    const { items } = await done('GET', '/audit?action=removeEnvironment')
    expect(items).toMatchObject([{ target: { kind: 'environment' } }, { target: { kind: 'gateway', name: 'edge' } }])
  })
})

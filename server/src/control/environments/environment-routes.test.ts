import { expect, test } from 'vitest'
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
})

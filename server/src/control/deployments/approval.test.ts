import { expect, test } from 'vitest'
import { createPerson, textOf } from '../../../test/control-people.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { act, answering, deployAs, guard, publish, shares, show } from '../../../test/release-control.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { systemClock } from '../../kernel/clock.ts'
import { ReleaseKeeper } from './release-keeper.ts'

const AT = '/workspaces/default/deployments'

async function guardedControl(given: Parameters<typeof testControl>[0]): Promise<TestControl> {
  const control = await testControl(given)
  await guard(control)
  return control
}

describeOnEveryStore('where the environment asks for approval', (store) => {
  test('a deployment goes live when somebody else approves it, and not before', async () => {
    const control = await guardedControl({ database: await store.open() })
    const author = await createPerson(control, 'operator')
    const id = await deployAs(control, author.token)
    expect(await shares(control)).toEqual({ old: 100 })
    const other = await createPerson(control, 'operator')
    const { body } = await control.call('POST', `${AT}/${id}/approve`, { token: other.token, body: {} })
    expect([body['state'], body['approvedBy']]).toEqual(['active', expect.stringContaining('token:')])
    expect(await shares(control)).toEqual({ new: 100 })
  })

  test('the author approves nothing of their own, with no token of theirs', async () => {
    const control = await guardedControl({ database: await store.open() })
    const author = await createPerson(control, 'operator')
    const id = await deployAs(control, author.token)
    const second = await control.call('POST', `/users/${author.userId}/tokens`, {
      body: { name: 'second', scopes: ['deployments.approve'] },
    })
    for (const token of [author.token, textOf(second.body['token'])]) {
      const { status, body } = await control.call('POST', `${AT}/${id}/approve`, { token, body: {} })
      expect([status, body['code']]).toEqual([403, 'deployment.own'])
    }
  })

  test('who may deploy may not approve by that', async () => {
    const control = await guardedControl({ database: await store.open() })
    const id = await deployAs(control, (await createPerson(control, 'operator')).token)
    const developer = await createPerson(control, 'api-developer')
    const { status } = await control.call('POST', `${AT}/${id}/approve`, { token: developer.token, body: {} })
    expect(status).toBe(403)
  })

  test('a canary keeps its plan while it waits', async () => {
    const control = await guardedControl({ database: await store.open() })
    const how = { strategy: 'canary', plan: { steps: [{ percent: 20 }] } }
    const id = await deployAs(control, (await createPerson(control, 'operator')).token, how)
    await act(control, id, 'approve')
    expect(await shares(control)).toEqual({ old: 80, new: 20 })
  })

  test('an approval is for what was live when it was asked for', async () => {
    const control = await guardedControl({ database: await store.open() })
    const author = await createPerson(control, 'operator')
    const first = await deployAs(control, author.token)
    await publish(control, answering('third'))
    const second = await deployAs(control, author.token)
    await act(control, second, 'approve')
    const { status, body } = await control.call('POST', `${AT}/${first}/approve`, { body: {} })
    expect([status, body['code']]).toEqual([409, 'deployment.outdated'])
    expect(await shares(control)).toEqual({ third: 100 })
  })

  test('what waits for a version that was removed is told so', async () => {
    const control = await guardedControl({ database: await store.open() })
    await publish(control, answering('other'), 'shop')
    const { token } = await createPerson(control, 'operator')
    const { body: waiting } = await control.call('POST', AT, { token, body: { api: 'shop', version: '1' } })
    await control.done('DELETE', '/workspaces/default/apis/shop/versions/1', undefined, { 'if-match': '*' })
    const { status, body } = await control.call('POST', `${AT}/${textOf(waiting['id'])}/approve`, { body: {} })
    expect([status, body['detail']]).toEqual([404, 'The version 1 of shop was removed since.'])
  })

  test('asking twice for the same is asking once, and what is rejected stays rejected', async () => {
    const control = await guardedControl({ database: await store.open() })
    const author = await createPerson(control, 'operator')
    const id = await deployAs(control, author.token)
    expect(await deployAs(control, author.token)).toBe(id)
    expect((await act(control, id, 'reject', { reason: 'on a Friday' })).state).toBe('rejected')
    expect((await control.call('POST', `${AT}/${id}/approve`, { body: {} })).status).toBe(409)
    expect((await control.call('POST', `${AT}/${id}/rollback`, { body: {} })).status).toBe(409)
  })

  test('the author takes back what awaits approval', async () => {
    const control = await guardedControl({ database: await store.open() })
    const author = await createPerson(control, 'api-developer')
    const id = await deployAs(control, author.token)
    const { body } = await control.call('POST', `${AT}/${id}/abort`, { token: author.token, body: {} })
    expect(body['state']).toBe('aborted')
  })

  test('an approval that nobody gives expires', async () => {
    let aheadMs = 0
    const clock = { ...systemClock, now: () => Date.now() + aheadMs }
    const control = await guardedControl({ database: await store.open(), clock })
    const id = await deployAs(control, (await createPerson(control, 'operator')).token)
    aheadMs = 73 * 3_600_000
    const other = await createPerson(control, 'operator')
    const late = await control.call('POST', `${AT}/${id}/approve`, { token: other.token, body: {} })
    expect([late.status, late.body['code']]).toEqual([409, 'deployment.outdated'])
    await new ReleaseKeeper(control.control).look()
    expect((await show(control, id)).state).toBe('expired')
  })

  test('an undo needs no approval', async () => {
    const control = await guardedControl({ database: await store.open() })
    const author = await createPerson(control, 'operator')
    const id = await deployAs(control, author.token)
    await act(control, id, 'approve')
    await control.call('POST', `${AT}/${id}/rollback`, { token: author.token, body: {} })
    expect(await shares(control)).toEqual({ old: 100 })
  })
})

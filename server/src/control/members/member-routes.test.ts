import { expect, test } from 'vitest'
import { createPerson } from '../../../test/control-people.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

const anyVersion = { 'if-match': '*' }

/** Takes the role of an owner away; what that is answered. */
async function demote({ call, done }: TestControl, userId: string): Promise<number> {
  const { items } = await done('GET', '/members')
  const id = new RegExp(`"id":"([^"]+)","role":"owner"[^}]*"userId":"${userId}"`).exec(JSON.stringify(items))?.[1]
  return (await call('POST', `/members/${id}/remove`, {})).status
}

async function lock({ call }: TestControl, userId: string): Promise<number> {
  const body = { disabled: true }
  return (await call('PUT', `/users/${userId}/disabled`, { body, headers: anyVersion })).status
}

describeOnEveryStore('the last owner who can get in', (store) => {
  test('stays an owner, and is not locked out', async () => {
    const control = await testControl({ database: await store.open() })
    const [first, second] = [await createPerson(control, 'owner'), await createPerson(control, 'owner')]
    expect(await lock(control, second.userId)).toBe(200)
    expect(await demote(control, first.userId)).toBe(409)
    expect(await lock(control, first.userId)).toBe(409)
    await control.done('PUT', `/users/${second.userId}/disabled`, { disabled: false }, anyVersion)
    expect(await demote(control, first.userId)).toBe(204)
    expect(await lock(control, second.userId)).toBe(409)
    expect(await demote(control, second.userId)).toBe(409)
  })

  test('does not keep others from being locked out', async () => {
    const control = await testControl({ database: await store.open() })
    const viewer = await createPerson(control, 'viewer')
    expect(await lock(control, viewer.userId)).toBe(200)
    await createPerson(control, 'owner')
    expect(await lock(control, (await createPerson(control, 'viewer')).userId)).toBe(200)
  })
})

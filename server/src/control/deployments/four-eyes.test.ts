/** One person alone brings nothing into an environment that asks for approval, whatever accounts and tokens they make. */
import { expect, test } from 'vitest'
import { createPerson, textOf } from '../../../test/control-people.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { act, answering, deployAs, deployLatest, guard, publish, shares } from '../../../test/release-control.ts'
import { createLocalUser, testBrowser, type TestBrowser } from '../../../test/test-browser.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

const AT = '/workspaces/default/deployments'
const ENVIRONMENT = '/environments/production'
const SCOPES = ['apis.read', 'deployments.read', 'deployments.write', 'deployments.approve']

async function signInAs(control: TestControl, role: string): Promise<TestBrowser> {
  const browser = testBrowser(control)
  await browser.signIn((await createLocalUser(control, role)).email)
  return browser
}

/** A token of a new service account, which somebody makes who signed in. */
async function makeService(browser: TestBrowser): Promise<string> {
  const made = await browser.call('POST', '/users', { email: 'ci@example.com', name: 'CI', isService: true })
  const userId = textOf(made.body['id'])
  expect((await browser.call('POST', '/members', { userId, role: 'operator' })).status).toBe(201)
  const answer = await browser.call('POST', `/users/${userId}/tokens`, { name: 'ci', scopes: SCOPES })
  return textOf(answer.body['token'])
}

async function approve({ call }: TestControl, id: string, token: string): Promise<unknown> {
  const { status, body } = await call('POST', `${AT}/${id}/approve`, { token, body: {} })
  return status === 200 ? body['state'] : body['code']
}

describeOnEveryStore('two persons', (store) => {
  const start = async (): Promise<TestControl> => {
    const control = await testControl({ database: await store.open() })
    await guard(control)
    return control
  }

  test('are needed: nobody makes a token for the account of a colleague and approves with it', async () => {
    const control = await start()
    const colleague = await createPerson(control, 'operator')
    const author = await signInAs(control, 'admin')
    const made = await author.call('POST', `/users/${colleague.userId}/tokens`, { name: 'borrowed', scopes: SCOPES })
    expect([made.status, made.body['code']]).toEqual([403, 'admin.forbidden'])
  })

  test('are needed: a service account approves nothing', async () => {
    const control = await start()
    const id = await deployAs(control, (await createPerson(control, 'operator')).token)
    const service = await makeService(await signInAs(control, 'admin'))
    expect(await approve(control, id, service)).toBe('deployment.person_needed')
    expect(await shares(control)).toEqual({ old: 100 })
  })

  test('are needed: whoever made the token of a pipeline does not approve what it deploys, others do', async () => {
    const control = await start()
    const [maker, other] = [await signInAs(control, 'admin'), await createPerson(control, 'operator')]
    const id = await deployAs(control, await makeService(maker))
    expect((await maker.call('POST', `${AT}/${id}/approve`, {})).body['code']).toBe('deployment.own')
    expect(await approve(control, id, other.token)).toBe('active')
  })

  test('are needed: nobody approves with a token that the author made', async () => {
    const control = await start()
    const { token } = await createPerson(control, 'operator')
    // By the bootstrap token, which made that of the operator.
    const { id } = await deployLatest(control)
    expect(await approve(control, id, token)).toBe('deployment.own')
  })

  test('are enough: somebody who signed in approves', async () => {
    const control = await start()
    const id = await deployAs(control, (await createPerson(control, 'operator')).token)
    const browser = await signInAs(control, 'operator')
    expect((await browser.call('POST', `${AT}/${id}/approve`, {})).body['state']).toBe('active')
  })

  test('are needed to bring back any other revision than the one that was live before', async () => {
    const control = await testControl({ database: await store.open() })
    await publish(control, answering('first'))
    await deployLatest(control)
    await publish(control, answering('second'))
    const second = await deployLatest(control)
    const old = await guard(control)
    const { token } = await createPerson(control, 'operator')
    const { body } = await control.call('POST', `${AT}/${second.id}/rollback`, { token, body: {} })
    expect(body['state']).toBe('awaiting-approval')
    expect(await shares(control)).toEqual({ old: 100 })
    expect((await act(control, old.id, 'rollback')).state).toBe('active')
    expect(await shares(control)).toEqual({ second: 100 })
  })
})

test('only an owner ends the need for approval, by a change of the environment or by removing it', async () => {
  const control = await testControl()
  const open = { title: '', needsApproval: false }
  const guarded = { title: 'Live', needsApproval: true }
  await control.done('PUT', ENVIRONMENT, guarded, { 'if-match': '*' })
  await control.done('POST', '/environments', { name: 'staging', needsApproval: true })
  const headers = { 'if-match': '*' }
  for (const role of ['operator', 'admin']) {
    const { token } = await createPerson(control, role)
    expect((await control.call('PUT', ENVIRONMENT, { token, headers, body: open })).status).toBe(403)
    expect((await control.call('DELETE', '/environments/staging', { token, headers })).status).toBe(403)
    expect((await control.call('PUT', ENVIRONMENT, { token, headers, body: guarded })).status).toBe(200)
  }
  const { token } = await createPerson(control, 'owner')
  expect((await control.call('DELETE', '/environments/staging', { token, headers })).status).toBe(204)
  expect((await control.call('PUT', ENVIRONMENT, { token, headers, body: open })).status).toBe(200)
})

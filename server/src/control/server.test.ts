import { request } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { createPerson } from '../../test/control-people.ts'
import { ADMIN_TOKEN, testControl } from '../../test/test-control.ts'
import { listenForControl } from './server.ts'

/** Announces a large body, sends its first byte alone, and says how that is answered. */
function begin(port: number, path: string, token: string): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': 60 * 1024 * 1024,
  }
  const sent = request({ host: '127.0.0.1', port, method: 'POST', path: `/api/v1${path}`, headers })
  onTestFinished(() => void sent.destroy())
  sent.once('response', ({ statusCode }) => resolve(statusCode))
  sent.on('error', reject)
  sent.write('{')
  return promise
}

test('a store that is away is answered with 503 also where it has to say who calls', async () => {
  const control = await testControl()
  const { token } = await createPerson(control, 'viewer')
  await control.database.close()
  for (const given of [token, ADMIN_TOKEN]) {
    const { status, body } = await control.call('GET', '/workspaces', { token: given })
    expect([status, body['code']]).toEqual([503, 'admin.store_unavailable'])
  }
})

test('a large body is not read for somebody who may not do what they ask', async () => {
  const control = await testControl()
  await control.done('POST', '/workspaces', { name: 'red' })
  const { token } = await createPerson(control, 'viewer', 'default')
  const server = await listenForControl(control.app, '127.0.0.1', 0)
  onTestFinished(() => server.close())
  const { port } = server
  expect(await begin(port, '/workspaces/default/imports', token)).toBe(403)
  expect(await begin(port, '/workspaces/red/apply', token)).toBe(404)
  expect(await begin(port, '/workspaces/nowhere/apply', token)).toBe(404)
})

test('what is not there is said to be missing, with its place and what is expected', async () => {
  const { call } = await testControl()
  const { status, body } = await call('POST', '/workspaces/default/upstreams', { body: { name: 'shop' } })
  expect([status, body['errors']]).toEqual([422, [{ pointer: '/targets', detail: 'is missing; expected array' }]])
})

test('says without a token that it lives, and that it is ready as long as its store answers', async () => {
  const { app } = await testControl()
  const ask = async (path: string): Promise<[number, unknown]> => {
    const response = await app.request(path)
    return [response.status, await response.json()]
  }
  expect(await ask('/healthz')).toEqual([200, { status: 'ok' }])
  expect(await ask('/readyz')).toEqual([200, { status: 'ok' }])
  const other = await testControl()
  await other.database.close()
  const answer = await other.app.request('/readyz')
  expect([answer.status, await answer.json()]).toEqual([
    503,
    { status: 'unavailable', reason: 'The store does not answer.' },
  ])
  expect((await other.app.request('/healthz')).status).toBe(200)
})

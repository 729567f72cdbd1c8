import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { textOf } from '../../../test/control-people.ts'
import { listenLocally } from '../../../test/local-server.ts'
import { publishedGateway, publishedSnapshot } from '../../../test/published-gateway.ts'
import { act, answering, deployLatest, publish, route, type Shown } from '../../../test/release-control.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import type { TestGateway } from '../../../test/test-gateway.ts'

const blueGreen = { strategy: 'blue-green' }

async function standby(how: object = blueGreen): Promise<{ control: TestControl; blue: Shown; green: Shown }> {
  const control = await testControl()
  await publish(control, answering('blue'))
  const blue = await deployLatest(control)
  await publish(control, answering('green', [route('fresh')]))
  return { control, blue, green: await deployLatest(control, how) }
}

async function tokenOf({ done }: TestControl, { id }: Shown): Promise<string> {
  const { header, token } = await done('POST', `/workspaces/default/deployments/${id}/preview`, {})
  expect(header).toBe('x-headgate-preview')
  return textOf(token)
}

async function bodyOf(gateway: TestGateway, token?: string, path = '/books/x'): Promise<string> {
  const headers: Record<string, string> = token === undefined ? {} : { 'x-headgate-preview': token }
  return (await gateway.inject(`GET ${path}`, { headers })).body
}

test('the token leads to the revision that stands ready, and everybody else stays where they are', async () => {
  const { control, green } = await standby()
  const token = await tokenOf(control, green)
  const gateway = await publishedGateway(control)
  expect(await bodyOf(gateway, token)).toBe('green')
  expect(await bodyOf(gateway)).toBe('blue')
  expect((await gateway.inject('GET /books/fresh')).status).toBe(404)
  expect(await bodyOf(gateway, token, '/books/fresh')).toBe('fresh')
})

test('a wrong token, one of another deployment and one before the latest are no tokens', async () => {
  const { control, green } = await standby()
  const first = await tokenOf(control, green)
  const token = await tokenOf(control, green)
  const gateway = await publishedGateway(control)
  for (const wrong of [first, '', 'x', `${token}x`, token.slice(0, -1), 'x'.repeat(5000), `${token}, ${token}`]) {
    expect(await bodyOf(gateway, wrong)).toBe('blue')
  }
  expect(await bodyOf(gateway, token)).toBe('green')
})

test('the token goes on to no upstream, and what it brings is kept by no cache', async () => {
  const control = await testControl()
  const server = createServer((request, response) => {
    const isToken = 'x-headgate-preview' in request.headers
    response.setHeader('cache-control', 'public, max-age=60').end(isToken ? 'leaked' : 'clean')
  })
  const targets = [{ url: `http://127.0.0.1:${await listenLocally(server)}` }]
  await control.done('POST', '/workspaces/default/upstreams', { name: 'up', targets })
  const calling = { name: '1', basePath: '/books', upstream: 'up', routes: [{ name: 'x', match: { path: '/x' } }] }
  await publish(control, calling)
  await deployLatest(control)
  const alone = await publishedGateway(control)
  expect(await bodyOf(alone, 'of another api')).toBe('clean')
  const token = await tokenOf(control, await deployLatest(control, blueGreen))
  const gateway = await publishedGateway(control)
  const { headers, body } = await gateway.inject('GET /books/x', { headers: { 'x-headgate-preview': token } })
  expect([body, headers['cache-control']]).toEqual(['clean', 'private, no-store'])
  expect((await gateway.inject('GET /books/x')).headers['cache-control']).toBe('public, max-age=60')
})

test('after the switch it leads to what everybody has, and after the way back to what stands ready again', async () => {
  const { control, blue, green } = await standby()
  const token = await tokenOf(control, green)
  await act(control, green.id, 'switch')
  const switched = await publishedGateway(control)
  expect([await bodyOf(switched), await bodyOf(switched, token)]).toEqual(['green', 'green'])
  const back = await tokenOf(control, blue)
  const tried = await publishedGateway(control)
  expect([await bodyOf(tried), await bodyOf(tried, back), await bodyOf(tried, token)]).toEqual([
    'green',
    'blue',
    'green',
  ])
  await act(control, blue.id, 'switch')
  expect(await bodyOf(await publishedGateway(control))).toBe('blue')
})

test('a gateway that runs takes the token with the next snapshot, and forgets it with the end of the standby', async () => {
  const { control, green } = await standby()
  const gateway = await publishedGateway(control)
  const token = await tokenOf(control, green)
  await gateway.reload({ snapshot: await publishedSnapshot(control) })
  expect([await bodyOf(gateway), await bodyOf(gateway, token)]).toEqual(['blue', 'green'])
  await act(control, green.id, 'abort')
  await gateway.reload({ snapshot: await publishedSnapshot(control) })
  expect(await bodyOf(gateway, token)).toBe('blue')
})

test('a canary is tried in the same way, and who tries it is not counted among its callers', async () => {
  const { control, green } = await standby({ strategy: 'canary', plan: { steps: [{ percent: 1 }], by: 'ip' } })
  const token = await tokenOf(control, green)
  const gateway = await publishedGateway(control)
  for (let at = 0; at < 5; at++) expect(await bodyOf(gateway, token)).toBe('green')
  await gateway.recorded(5)
  expect(gateway.thread.takeDeploymentCounts()).toEqual([])
})

test('only what stands beside another has a token, and only for who may deploy', async () => {
  const { control, blue, green } = await standby()
  const path = (id: string) => `/workspaces/default/deployments/${id}/preview`
  const { status, body } = await control.call('POST', path(blue.id), { body: {} })
  expect([status, body['code']]).toEqual([409, 'deployment.wrong_state'])
  const token = await tokenOf(control, green)
  const lines = await control.database.read.selectFrom('snapshot_lines').select('line').execute()
  const audit = await control.database.read.selectFrom('audit').selectAll().execute()
  expect(JSON.stringify([lines, audit, await control.done('GET', '/workspaces/default/deployments')])).not.toContain(
    token,
  )
})

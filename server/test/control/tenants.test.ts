import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { listenLocally } from '../local-server.ts'
import { testControl, type TestControl } from '../test-control.ts'
import { testGateway, type TestGateway } from '../test-gateway.ts'

/** An API that asks for a key, a product with a plan, and a consumer `acme` of it; the key. */
async function publishIn({ done }: TestControl, workspace: string): Promise<string> {
  const at = `/workspaces/${workspace}`
  await done('POST', `${at}/apis`, { name: 'books' })
  const port = await listenLocally(createServer((_request, response) => response.end(workspace)))
  await done('POST', `${at}/upstreams`, { name: 'shop', targets: [{ url: `http://127.0.0.1:${port}` }] })
  const settings = {
    name: '1.0.0',
    basePath: `/${workspace}`,
    upstream: 'shop',
    policies: [{ kind: 'key-auth' }],
    routes: [{ name: 'all', match: { path: '/*' } }],
  }
  await done('POST', `${at}/apis/books/versions`, { settings })
  await done('POST', `${at}/apis/books/versions/1.0.0/revisions`)
  await done('POST', `${at}/deployments`, { api: 'books', version: '1.0.0' })
  await done('POST', `${at}/consumers`, { name: 'acme' })
  const { key } = await done('POST', `${at}/consumers/acme/credentials`, { name: 'main' })
  if (typeof key !== 'string') throw new TypeError('a new credential shows its key')
  return key
}

/** A gateway that runs what was published last. */
async function runSnapshot({ control, database }: TestControl): Promise<TestGateway> {
  const { snapshot_seq: seq } = await database.read
    .selectFrom('environments')
    .select('snapshot_seq')
    .executeTakeFirstOrThrow()
  await expect.poll(() => control.feed.current('production')?.seq).toBe(seq)
  const tree = control.feed.treeOf('production') ?? expect.fail('the environment has a snapshot')
  return testGateway({ snapshot: { version: tree.root(), lines: tree.toMap() } })
}

test('a key of one workspace opens nothing of another, though consumers and APIs have the same names', async () => {
  const control = await testControl()
  for (const name of ['red', 'blue']) await control.done('POST', '/workspaces', { name })
  const keys = {
    default: await publishIn(control, 'default'),
    red: await publishIn(control, 'red'),
    blue: await publishIn(control, 'blue'),
  }
  const gateway = await runSnapshot(control)
  for (const [owner, key] of Object.entries(keys)) {
    for (const workspace of Object.keys(keys)) {
      const { status } = await gateway.inject(`GET /${workspace}/x`, { headers: { 'x-api-key': key } })
      expect([owner, workspace, status]).toEqual([owner, workspace, owner === workspace ? 200 : 401])
    }
  }
})

test('limits of equal names in two workspaces count apart', async () => {
  const control = await testControl()
  await control.done('POST', '/workspaces', { name: 'red' })
  const policies = [{ kind: 'rate-limit', config: { limit: 1, windowSeconds: 60 } }]
  const keys = { default: await publishIn(control, 'default'), red: await publishIn(control, 'red') }
  for (const name of Object.keys(keys)) {
    const body = { name: 'acme', policies }
    await control.done('PUT', `/workspaces/${name}/consumers/acme`, body, { 'if-match': '*' })
  }
  const gateway = await runSnapshot(control)
  const statuses: number[] = []
  for (const [workspace, key] of [...Object.entries(keys), ...Object.entries(keys)]) {
    statuses.push((await gateway.inject(`GET /${workspace}/x`, { headers: { 'x-api-key': key } })).status)
  }
  expect(statuses).toEqual([200, 200, 429, 429])
})

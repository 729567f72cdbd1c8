import { expect, test } from 'vitest'
import { testGateway, type TestGateway } from '../../test/test-gateway.ts'

const json = { name: 'content-type', value: 'application/json' }

async function gatewayWith(routes: readonly object[]): Promise<TestGateway> {
  return testGateway({ routes })
}

/** The names of the routes that the requests took, in order; none is `-`. */
async function routesOf(
  gateway: TestGateway,
  requests: readonly (readonly [string, Record<string, string | string[]>?])[],
): Promise<string[]> {
  for (const [line, headers = {}] of requests) await gateway.inject(line, { headers })
  const records = await gateway.recorded(requests.length)
  return records.map(({ route }) => route.split('/').at(-1) || '-')
}

test('a route can ask for the absence of a parameter, and a second value does not hide behind the first', async () => {
  const gateway = await gatewayWith([
    { name: 'delete', match: { path: '/q', query: [{ name: 'Action', value: 'Delete' }] } },
    { name: 'read', match: { path: '/q', query: [{ name: 'Action', value: 'Read' }] } },
    { name: 'none', match: { path: '/q', query: [{ name: 'Action', absent: true }] } },
  ])
  const lines = ['/q?Action=Read', '/q?x=1&Action=Delete', '/q', '/q?Action', '/q?Action=Read&Action=Delete']
  expect(
    await routesOf(
      gateway,
      lines.map((line) => [`GET ${line}`]),
    ),
  ).toEqual(['read', 'delete', 'none', '-', '-'])
})

test('a media type is asked for whatever its parameters and case, other fields as they are', async () => {
  const gateway = await gatewayWith([
    { name: 'json', match: { path: '/q', headers: [json] } },
    { name: 'latin', match: { path: '/q', headers: [{ name: 'content-type', value: 'text/plain; charset=latin1' }] } },
    { name: 'beta', match: { path: '/channel', headers: [{ name: 'x-channel', value: 'beta' }] } },
    { name: 'other', match: { path: '/*' } },
  ])
  const asked: Record<string, string | string[]>[] = [
    { 'content-type': 'application/json' },
    { 'content-type': 'Application/JSON ; charset=utf-8' },
    { 'content-type': 'application/jsonp' },
    { 'content-type': 'text/plain; charset=latin1' },
    { 'content-type': 'text/plain; charset=utf-8' },
    { 'x-channel': 'beta' },
    { 'x-channel': 'Beta' },
    { 'x-channel': ['beta', 'alpha'] },
  ]
  expect(
    await routesOf(
      gateway,
      asked.map((headers) => ['x-channel' in headers ? 'GET /channel' : 'GET /q', headers]),
    ),
  ).toEqual(['json', 'json', 'other', 'latin', 'other', 'beta', 'other', 'other'])
})

test('parts of a segment are parameters that policies know', async () => {
  const path = '/store/{name}/{extension}'
  const gateway = await testGateway({
    routes: [{ name: 'file', match: { path: '/files/{name}.{extension}' } }],
    policies: [{ kind: 'rewrite', config: { path } }],
  })
  await gateway.inject('GET /files/a%20b.tar.gz')
  expect(gateway.seen.map(({ url }) => url)).toEqual(['/store/a%20b.tar/gz'])
})

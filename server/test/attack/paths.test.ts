import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { testGateway, type TestGateway } from '../test-gateway.ts'

const consumers = { consumers: [{ name: 'acme', keys: [{ value: 'acme-key' }] }] }
const closed = [{ kind: 'key-auth' }]

/** An API that is open but for one part of it. */
function guardedGateway(): Promise<TestGateway> {
  const routes = [
    { name: 'admin', match: { path: '/admin' }, policies: closed },
    { name: 'below', match: { path: '/admin/*' }, policies: closed },
    { name: 'book', match: { path: '/books/{id}' } },
    { name: 'all', match: { path: '/*' } },
  ]
  return testGateway({ routes, document: consumers })
}

/** The status of a request that is written as it stands. */
function send(port: number, request: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(request))
    let text = ''
    socket.setEncoding('latin1').on('data', (data) => (text += data))
    socket.on('error', reject).on('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])))
  })
}

test.each([
  '/admin',
  '/admin/',
  '/admin?x',
  '//admin',
  '/./admin',
  '/x/../admin',
  '/x/%2e%2e/admin',
  '/%61dmin',
  '/admin;x',
  '/admin;x=1/',
  '/admin;/users',
  '/admin%3Bx',
  '/admin/users;x',
  '/%2561dmin',
  '/%61dm%2569n',
  '/x/..;/admin',
  '/;/admin',
  '/.;x/admin',
  '/admin/..%2fadmin',
  '/x%2f..%2fadmin',
  '/x%5c..%5cadmin',
  '/x\\..\\admin',
  '/admin%00',
  '/admin%09',
  '/admin%0d%0a',
  '/admin%c0%ae',
  '/%252e%252e/admin',
  'http://other.example/admin',
  'HTTP://a/admin',
])('%s does not reach the upstream past the route of /admin', async (target) => {
  const gateway = await guardedGateway()
  const status = await send(gateway.port, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  expect([400, 401]).toContain(status)
  expect(gateway.seen).toEqual([])
})

test('path parameters and percent signs pass where they lead to no other route', async () => {
  const gateway = await guardedGateway()
  for (const path of ['/books/a;v=1', '/books/100%25', '/books/%2541', '/books/a%3Bb', '/other;x/y', '/adminx;y']) {
    expect((await gateway.inject(`GET ${path}`)).status, path).toBe(200)
  }
  expect(gateway.seen.map(({ url }) => url)).toContain('/books/a;v=1')
})

test.each(['HEAD', 'POST', 'OPTIONS', 'PROPFIND'])('%s needs a key where GET needs one', async (method) => {
  const gateway = await guardedGateway()
  const override = { 'x-http-method-override': 'GET', 'x-method-override': 'GET' }
  expect((await gateway.inject(`${method} /admin`, { headers: override })).status).toBe(401)
  expect(gateway.seen).toEqual([])
})

test.each<[title: string, headers: Record<string, string>]>([
  ['the plain one', { 'access-control-request-method': 'GET' }],
  ['one for a method that no route has', { 'access-control-request-method': 'NONSENSE' }],
  ['one without a method', {}],
])('a preflight is no way past authentication where there is no CORS policy: %s', async (_, headers) => {
  const gateway = await guardedGateway()
  expect(
    (await gateway.inject('OPTIONS /admin', { headers: { origin: 'https://evil.example', ...headers } })).status,
  ).toBe(401)
  expect(gateway.seen).toEqual([])
})

test.each([
  ['api.example.com', 200],
  ['API.example.COM', 200],
  ['api.example.com.', 200],
  ['api.example.com:8080', 200],
  ['a.b.wild.example', 200],
  ['wild.example', 404],
  ['evilwild.example', 404],
  ['api.example.com.evil.example', 404],
  ['xapi.example.com', 404],
  ['.wild.example', 400],
  ['api.example.com..', 400],
  ['user@api.example.com', 400],
  ['api.example.com:0', 400],
  ['api.example.com:80:80', 400],
])('a host is matched as DNS reads it: %s', async (host, status) => {
  const gateway = await testGateway({ api: { hosts: ['api.example.com', '*.wild.example'] } })
  expect((await gateway.inject('GET /', { headers: { host } })).status).toBe(status)
  expect(gateway.seen).toHaveLength(status === 200 ? 1 : 0)
})

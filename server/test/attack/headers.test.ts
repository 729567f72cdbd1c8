import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { signDebug } from '../../src/gateway/debug.ts'
import { testGateway } from '../test-gateway.ts'

/** The status of a request that is written as it stands. */
function statusOf(port: number, request: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(request))
    let text = ''
    socket.setEncoding('latin1').on('data', (data) => (text += data))
    socket.on('error', reject).on('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])))
  })
}

test('a signature for debugging goes no further, also while every answer is debugged', async () => {
  const debugKey = 'a key for debugging'
  const gateway = await testGateway({ debug: true, document: { gateway: { debugKey } } })
  const signature = signDebug(debugKey, Math.floor(Date.now() / 1000) + 60, 'a')
  await gateway.inject('GET /', { headers: { host: 'a', 'x-headgate-debug': signature } })
  expect(gateway.seen[0]?.headers).not.toHaveProperty('x-headgate-debug')
})

test('no client speaks in the name of a header that is set or taken away, however it spells it', async () => {
  const request = {
    remove: ['x-internal-*', 'x-role'],
    rename: { x_tenant: 'x-tenant' },
    set: { 'x-consumer': { expression: 'principal.consumer' } },
  }
  const gateway = await testGateway({
    policies: [{ kind: 'headers', config: { request } }],
    upstream: { headers: [{ name: 'x-upstream-key', value: 'ours' }] },
  })
  const headers = {
    'X-Consumer': 'admin',
    X_Consumer: 'admin',
    'X-Internal-User': 'admin',
    X_Internal_User: 'admin',
    'x-internal_user': 'admin',
    X_ROLE: 'admin',
    x_upstream_key: 'theirs',
    x_tenant: 'acme',
    x_other: 'kept',
  }
  await gateway.inject('GET /', { headers })
  const { host: _, ...seen } = gateway.seen[0]?.headers ?? {}
  expect(JSON.stringify(seen)).not.toMatch(/admin|theirs/)
  expect(seen).toMatchObject({ 'x-consumer': '', 'x-tenant': 'acme', 'x-upstream-key': 'ours', x_other: 'kept' })
})

test.each([
  'Content_Length: 5',
  'Transfer_Encoding: chunked',
  'X_Forwarded_For: 10.0.0.1',
  'X_Real_IP: 10.0.0.1',
  'Connection: x-api-key',
  'Connection: authorization',
  'Connection: content-type',
  'X-Api-Key: a\r\nX-Api-Key: b',
  'Authorization: Bearer a\r\nAuthorization: Bearer b',
  'Content-Type: a/b\r\nContent-Type: application/json',
])('a header that two readers take for different things is refused: %j', async (lines) => {
  const gateway = await testGateway()
  expect(await statusOf(gateway.port, `GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\nConnection: close\r\n\r\n`)).toBe(400)
  expect(gateway.seen).toEqual([])
})

test('what a client says of the way its request came is never believed and never passed on', async () => {
  const deny = { kind: 'ip-filter', config: { deny: ['127.0.0.0/8'] } }
  const gateway = await testGateway({ policies: [{ ...deny, when: "request.path == '/closed'" }] })
  const address = '203.0.113.9'
  const headers = {
    'x-forwarded-for': address,
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-prefix': '/evil',
    'x-real-ip': address,
    forwarded: `for=${address}`,
    via: '1.1 evil',
    'x-request-id': 'evil',
  }
  expect((await gateway.inject('GET /closed', { headers })).status).toBe(403)
  expect((await gateway.inject('GET /', { headers })).status).toBe(200)
  expect(JSON.stringify(gateway.seen[0]?.headers)).not.toMatch(/evil|203\.0\.113/)
  expect(gateway.records.map(({ ip }) => ip)).toEqual(['127.0.0.1', '127.0.0.1'])
})

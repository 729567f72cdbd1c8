/** Who the client is behind proxies, and what an upstream is told of it: only trusted proxies have a word. */
import { expect, test } from 'vitest'
import { testGateway, type TestGateway } from '../test-gateway.ts'
import { dial, rawUpstream } from './wire.ts'

const trusting = (...trustedProxies: string[]): Promise<TestGateway> =>
  testGateway({ document: { gateway: { trustedProxies } } })

const claims = {
  'x-forwarded-for': '192.0.2.7',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'evil.test',
  'x-forwarded-port': '1',
  'x-real-ip': '192.0.2.7',
  'x-request-id': 'mine',
  forwarded: 'for=192.0.2.7;proto=https',
  via: '1.1 evil',
}

test('what a client claims about its way is replaced by what the gateway knows', async () => {
  const gateway = await testGateway()
  const { headers } = await gateway.inject('GET /', { headers: { host: 'a.test:8080', ...claims } })
  const seen = gateway.seen[0]?.headers ?? {}
  expect(seen).toMatchObject({
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'a.test:8080',
    via: '1.1 headgate',
  })
  for (const name of ['forwarded', 'x-real-ip', 'x-forwarded-port']) expect(seen).not.toHaveProperty(name)
  expect(seen['x-request-id']).toBe(headers['x-request-id'])
  expect(seen['x-request-id']).not.toBe('mine')
  expect(await gateway.recorded(1)).toMatchObject([{ ip: '127.0.0.1' }])
})

test('a trusted proxy is believed about the client, its scheme and the id of the request', async () => {
  const gateway = await trusting('127.0.0.1')
  const { headers } = await gateway.inject('GET /', { headers: claims })
  expect(headers['x-request-id']).toBe('mine')
  expect(gateway.seen[0]?.headers).toMatchObject({
    'x-forwarded-for': '192.0.2.7',
    'x-forwarded-proto': 'https',
    'x-request-id': 'mine',
  })
  expect(await gateway.recorded(1)).toMatchObject([{ ip: '192.0.2.7', id: 'mine' }])
})

test('of the two kinds of fields only the one counts that the proxies are said to write', async () => {
  const proxied = { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'http' }
  const smuggled = { forwarded: 'for=9.9.9.9;proto=https' }
  const gateway = await trusting('127.0.0.1')
  await gateway.inject('GET /', { headers: { ...proxied, ...smuggled } })
  await gateway.inject('GET /', { headers: smuggled })
  const other = await testGateway({
    document: { gateway: { trustedProxies: ['127.0.0.1'], forwardedField: 'forwarded' } },
  })
  await other.inject('GET /', { headers: { ...proxied, forwarded: 'for=192.0.2.8;proto=https' } })
  await other.inject('GET /', { headers: { ...proxied, 'x-forwarded-proto': 'https' } })
  const told = [...gateway.seen, ...other.seen].map(({ headers }) => [
    headers['x-forwarded-for'],
    headers['x-forwarded-proto'],
    headers['forwarded'],
  ])
  expect(told).toEqual([
    ['192.0.2.7', 'http', undefined],
    ['127.0.0.1', 'http', undefined],
    ['192.0.2.8', 'https', undefined],
    ['127.0.0.1', 'http', undefined],
  ])
})

const forwarded: Record<string, [field: string | string[], ip: string]> = {
  'the first address from the right that is not trusted': [
    'for=9.9.9.9, for="[2001:db8::7]:80";proto=https, for=10.0.0.1',
    '2001:db8::7',
  ],
  'what proxies added behind an open quote': ['for="9.9.9.9, for=192.0.2.7', '192.0.2.7'],
  'what proxies added behind another field': [['for="9.9.9.9', 'for=192.0.2.7'], '192.0.2.7'],
  'nothing behind an element without an address': ['for=192.0.2.7, by=10.0.0.1', '127.0.0.1'],
  'nothing behind a name that hides an address': ['for=192.0.2.7, for=_hidden', '127.0.0.1'],
}
for (const [what, [field, ip]] of Object.entries(forwarded)) {
  test(`of Forwarded counts ${what}`, async () => {
    const settings = { trustedProxies: ['127.0.0.1', '10.0.0.0/8'], forwardedField: 'forwarded' }
    const gateway = await testGateway({ document: { gateway: settings } })
    await gateway.inject('GET /', { headers: { forwarded: field } })
    expect((await gateway.recorded(1))[0]?.ip).toBe(ip)
  })
}

const chains: Record<string, [fields: Record<string, string | string[]>, ip: string]> = {
  'the first address from the right that is not trusted': [
    { 'x-forwarded-for': '9.9.9.9, 192.0.2.7, 10.1.1.1' },
    '192.0.2.7',
  ],
  'the leftmost one where all are trusted': [{ 'x-forwarded-for': '10.0.0.9, 10.0.0.8' }, '10.0.0.9'],
  'fields that are repeated, as one list': [{ 'x-forwarded-for': ['9.9.9.9', '192.0.2.7'] }, '192.0.2.7'],
  'ports and brackets left out': [{ 'x-forwarded-for': '[2001:db8::7]:1234' }, '2001:db8::7'],
  'mapped addresses as plain ones': [{ 'x-forwarded-for': '::ffff:192.0.2.7' }, '192.0.2.7'],
  'nothing behind what is no address': [{ 'x-forwarded-for': '192.0.2.7, unknown' }, '127.0.0.1'],
  'nothing where there is nothing': [{}, '127.0.0.1'],
}
for (const [what, [fields, ip]] of Object.entries(chains)) {
  test(`of several hops counts ${what}`, async () => {
    const gateway = await trusting('127.0.0.1', '10.0.0.0/8')
    await gateway.inject('GET /', { headers: fields })
    expect((await gateway.recorded(1))[0]?.ip).toBe(ip)
  })
}

test('an endless list of hops is no work, and an id that is no id is replaced', async () => {
  const gateway = await trusting('127.0.0.1', '10.0.0.0/8')
  const hops = Array.from({ length: 1_500 }, () => '10.0.0.1').join(', ')
  const { headers } = await gateway.inject('GET /', { headers: { 'x-forwarded-for': hops, 'x-request-id': 'a b"c' } })
  expect(headers['x-request-id']).toMatch(/^[\w.:-]{8,}$/)
  expect((await gateway.recorded(1))[0]?.ip).toBe('10.0.0.1')
})

test('names in Connection take away no field that the gateway sets, or a policy looks at', async () => {
  const upstream = await rawUpstream(async (wire) => {
    const { fields } = await wire.message()
    expect(fields).toMatchObject({ 'x-forwarded-for': '127.0.0.1', 'x-request-id': expect.any(String) })
    expect(fields).not.toHaveProperty('x-hop')
    expect(fields).not.toHaveProperty('connection')
    wire.send('HTTP/1.1 200 OK\r\nconnection: x-gone\r\nx-gone: 1\r\nx-stays: 1\r\ncontent-length: 0\r\n\r\n')
  })
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  const { status, fields } = await client.get('/', 'connection: x-hop\r\nx-hop: 1\r\n')
  expect([status, fields['x-stays'], fields['x-gone']]).toEqual([200, '1', undefined])
  for (const name of ['x-forwarded-for', 'authorization', 'x-api-key', 'cookie']) {
    const other = await dial(gateway.port)
    expect((await other.get('/', `connection: ${name}\r\n${name}: 1\r\n`)).status).toBe(400)
  }
  expect(upstream.wires).toHaveLength(1)
})

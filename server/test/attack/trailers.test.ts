/** Trailers say nothing that the head was not allowed to say (RFC 9110 §6.5.1). */
import { connect, type IncomingHttpHeaders } from 'node:http2'
import { expect, onTestFinished, test } from 'vitest'
import { testGateway, type TestGatewayOptions } from '../test-gateway.ts'
import { dial, rawUpstream, type Message } from '../wire/wire.ts'

const guarded: TestGatewayOptions = {
  policies: [
    { kind: 'any-of', config: { policies: [{ kind: 'key-auth', config: { header: 'x-key' } }, jwt('x-token')] } },
    {
      kind: 'headers',
      config: {
        request: { remove: ['x-internal-*', 'x-gone'], rename: { 'x-old': 'x-new' }, set: { 'x-consumer': 'acme' } },
        response: { remove: ['x-powered-by'], set: { 'x-frame-options': 'DENY' } },
      },
    },
  ],
  upstream: { headers: [{ name: 'x-upstream-key', value: 'secret' }] },
  document: { consumers: [{ name: 'acme', keys: [{ value: 'acme-key' }] }] },
}

function jwt(header: string): object {
  return { kind: 'jwt', config: { secret: 'a secret that is thirty-two bytes long', audiences: ['a'], header } }
}

const smuggled = [
  'x-internal-role',
  'x_internal_role',
  'x-gone',
  'x-old',
  'x-new',
  'x-consumer',
  'x_consumer',
  'x-key',
  'x-token',
  'x-upstream-key',
  'x-tenant',
  'authorization',
  'cookie',
  'x-api-key',
  'x-forwarded-for',
  'x-forwarded-user',
  'x-real-ip',
  'x-request-id',
  'via',
  'forwarded',
  'content-type',
]
/** Those that an HTTP/1.1 head would lose as well, and those that refuse the message. */
const ofConnection = ['keep-alive', 'proxy-authorization']

test('a client cannot bring in by a trailer what policies took away or wrote, or what the gateway vouches for', async () => {
  const seen: Message[] = []
  const upstream = await rawUpstream(async (wire) => {
    for (;;) {
      seen.push(await wire.message())
      wire.send('HTTP/1.1 204 No Content\r\n\r\n')
    }
  })
  const gateway = await testGateway({ ...guarded, target: upstream.url })
  const trailers = [...smuggled, ...ofConnection].map((name) => `${name}: forged\r\n`).join('')
  const client = await dial(gateway.port)
  client.send(
    `POST / HTTP/1.1\r\nhost: a.test\r\nx-key: acme-key\r\nx-tenant: acme\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n${trailers}x-sum: 17\r\n\r\n`,
  )
  expect((await client.message()).status).toBe(204)

  const session = connect(`http://127.0.0.1:${gateway.port}`)
  onTestFinished(() => session.destroy())
  const stream = session.request(
    { ':method': 'POST', ':path': '/', 'x-key': 'acme-key', 'x-tenant': 'acme' },
    { waitForTrailers: true, endStream: false },
  )
  stream.on('wantTrailers', () =>
    stream.sendTrailers({ ...Object.fromEntries(smuggled.map((name) => [name, 'forged'])), 'x-sum': '17' }),
  )
  stream.end('hi')
  const answered = await new Promise<IncomingHttpHeaders>((resolve) => stream.once('response', resolve))
  expect(answered[':status']).toBe(204)

  for (const message of seen) {
    expect(message.trailers).toEqual({ 'x-sum': '17' })
    expect(message.fields).toMatchObject({ 'x-consumer': 'acme', 'x-upstream-key': 'secret', 'x-tenant': 'acme' })
    expect(message.fields['trailer']).toBeUndefined()
  }
  expect(seen).toHaveLength(2)
})

test.each(['host', 'content-length', 'transfer-encoding', 'connection', 'te', 'upgrade', 'expect', 'x_forwarded_for'])(
  'a trailer called %s never reaches an upstream',
  async (name) => {
    const upstream = await rawUpstream(async (wire) => {
      const { trailers } = await wire.message()
      expect(trailers).toEqual({})
      wire.send('HTTP/1.1 204 No Content\r\n\r\n')
    })
    const gateway = await testGateway({ target: upstream.url })
    const client = await dial(gateway.port)
    client.send(
      `POST / HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n${name}: 1\r\n\r\n`,
    )
    const { status } = await client.message()
    expect([204, 400]).toContain(status)
    expect(upstream.wires.map(({ unread }) => unread.includes(`${name}: 1`))).not.toContain(true)
  },
)

test('an upstream cannot bring in by a trailer what policies took away from its answers', async () => {
  const upstream = await rawUpstream(async (wire) => {
    await wire.message()
    wire.send(
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-powered-by: php\r\nx-frame-options: no\r\nx-end: yes\r\n\r\n',
    )
  })
  const gateway = await testGateway({ ...guarded, target: upstream.url })
  const client = await dial(gateway.port)
  const { status, trailers, fields } = await client.get('/', 'x-key: acme-key\r\nte: trailers\r\nconnection: te\r\n')
  expect([status, trailers, fields['x-frame-options']]).toEqual([200, { 'x-end': 'yes' }, 'DENY'])
})

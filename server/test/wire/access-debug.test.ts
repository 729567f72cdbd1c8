/** What an answer and a record tell of the way that a request took. */
import { expect, test } from 'vitest'
import { signDebug } from '../../src/gateway/debug.ts'
import { testGateway } from '../test-gateway.ts'
import { dial } from './wire.ts'

const debugKey = 'a key for debugging'
const policies = [
  { kind: 'headers', when: "request.method == 'PUT'", config: { request: { set: { 'x-a': 'b' } } } },
  { kind: 'key-auth' },
]
const document = { gateway: { debugKey } }
const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds

test('while debugging is on, every answer says which policies ran and what they decided', async () => {
  const gateway = await testGateway({ policies, debug: true })
  const { status, headers } = await gateway.inject('GET /')
  expect(status).toBe(401)
  expect(headers['x-headgate-decisions']).toMatch(
    /^"apis\/test[^"]*\/0";request=skipped, "apis\/test[^"]*\/1";request=answered;detail="key_auth\.missing"$/,
  )
})

test('a signed field asks for it on one request, and the upstream never sees the signature', async () => {
  const gateway = await testGateway({ document })
  const signed = { host: 'a.test', 'x-headgate-debug': signDebug(debugKey, inSeconds(60), 'a.test') }
  expect((await gateway.inject('GET /', { headers: signed })).headers).toHaveProperty('x-headgate-decisions')
  expect((await gateway.inject('GET /')).headers).not.toHaveProperty('x-headgate-decisions')
  expect(gateway.seen[0]?.headers).not.toHaveProperty('x-headgate-debug')
})

test('a signature that is old, too far ahead, for another host or of another key shows nothing', async () => {
  const gateway = await testGateway({ document })
  const signatures = [
    signDebug(debugKey, inSeconds(-1), 'a.test'),
    signDebug(debugKey, inSeconds(7_200), 'a.test'),
    signDebug(debugKey, inSeconds(60), 'b.test'),
    signDebug('another key for it', inSeconds(60), 'a.test'),
    'nonsense',
    '',
  ]
  for (const signature of signatures) {
    const headers = { host: 'a.test', 'x-headgate-debug': signature }
    expect((await gateway.inject('GET /', { headers })).headers).not.toHaveProperty('x-headgate-decisions')
  }
})

test('every answer has an id of its own that the upstream and the record share', async () => {
  const gateway = await testGateway()
  const client = await dial(gateway.port)
  const ids = [(await client.get('/')).fields['x-request-id'], (await client.get('/')).fields['x-request-id']]
  client.send('nonsense\r\n\r\n')
  const refused = await client.message()
  ids.push(refused.fields['x-request-id'])
  expect(refused.body).toContain(`urn:headgate:request:${ids[2]}`)
  expect(new Set(ids).size).toBe(3)
  expect((await gateway.recorded(3)).map(({ id }) => id)).toEqual(ids)
  expect(gateway.seen.map(({ headers }) => headers['x-request-id'])).toEqual(ids.slice(0, 2))
})

test('Server-Timing tells the time of gateway and upstream, beside what the upstream says, unless it is switched off', async () => {
  const respond = (
    _request: unknown,
    response: { setHeader(name: string, value: string): void; end(): void },
  ): void => {
    response.setHeader('server-timing', 'db;dur=5')
    response.end()
  }
  const gateway = await testGateway({ respond })
  const timing = (await gateway.inject('GET /')).headers['server-timing']
  expect(timing).toMatch(/^db;dur=5, gateway;dur=\d+\.\d\d, upstream;dur=\d+\.\d\d$/)
  await gateway.reload({ respond, document: { gateway: { serverTiming: false } } })
  expect((await gateway.inject('GET /')).headers['server-timing']).toBe('db;dur=5')
})

test('a trace goes on to the upstream as it came, and the record has its id', async () => {
  const gateway = await testGateway()
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  await gateway.inject('GET /', { headers: { traceparent, tracestate: 'a=b', baggage: 'c=d' } })
  await gateway.inject('GET /', { headers: { traceparent: 'nonsense' } })
  expect(gateway.seen[0]?.headers).toMatchObject({ traceparent, tracestate: 'a=b', baggage: 'c=d' })
  expect((await gateway.recorded(2)).map(({ traceId }) => traceId)).toEqual(['4bf92f3577b34da6a3ce929d0e0e4736', ''])
})

test('a fault that resets the connection leaves a record with its own status', async () => {
  const gateway = await testGateway({ policies: [{ kind: 'fault', config: { abort: { status: 'reset' } } }] })
  const client = await dial(gateway.port)
  client.send('GET / HTTP/1.1\r\nhost: a.test\r\n\r\n')
  expect(await client.ended).toBe('reset')
  expect(client.unread).toBe('')
  expect(await gateway.recorded(1)).toMatchObject([
    { problem: 'fault.connection_reset', status: 503, responseBytes: 0 },
  ])
})

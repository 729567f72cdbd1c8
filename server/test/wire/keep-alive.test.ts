/** Connections of clients that live on: kept, pipelined, closed when they have to be. */
import { expect, test } from 'vitest'
import { testGateway } from '../test-gateway.ts'
import { dial, echo, rawUpstream } from './wire.ts'

test('many requests go over one connection, and over one to the upstream', async () => {
  const upstream = await rawUpstream(echo)
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  for (const path of ['/1', '/2', '/3']) {
    const { status, body, fields } = await client.get(path)
    expect([status, body, fields['connection']]).toEqual([200, `GET ${path} HTTP/1.1 `, undefined])
  }
  expect(upstream.wires).toHaveLength(1)
})

test('pipelined requests are answered in order, also when they come byte by byte', async () => {
  const upstream = await rawUpstream(echo)
  const gateway = await testGateway({ target: upstream.url })
  const requests = ['/1', '/2', '/3'].map(
    (path) => `POST ${path} HTTP/1.1\r\nhost: a.test\r\ncontent-length: 2\r\n\r\nhi`,
  )
  for (const pieces of [[requests.join('')], requests.join('').split('')]) {
    const client = await dial(gateway.port)
    for (const piece of pieces) client.send(piece)
    for (const path of ['/1', '/2', '/3']) expect((await client.message()).body).toBe(`POST ${path} HTTP/1.1 hi`)
  }
})

test('a pipelined request waits until the one before is answered', async () => {
  const upstream = await rawUpstream()
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send('GET /1 HTTP/1.1\r\nhost: a.test\r\n\r\nGET /2 HTTP/1.1\r\nhost: a.test\r\n\r\n')
  const wire = await upstream.next()
  expect((await wire.message()).startLine).toBe('GET /1 HTTP/1.1')
  expect(wire.unread).toBe('')
  wire.send('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1')
  expect((await wire.message()).startLine).toBe('GET /2 HTTP/1.1')
  wire.send('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n2')
  expect([(await client.message()).body, (await client.message()).body]).toEqual(['1', '2'])
})

test('a refusal in the midst of pipelined requests ends the connection behind it', async () => {
  const gateway = await testGateway()
  const client = await dial(gateway.port)
  const next = 'GET /next HTTP/1.1\r\nhost: a.test\r\n\r\n'
  client.send(`${next}GET /bad HTTP/1.1\r\nhost : a.test\r\n\r\n${next}`)
  expect((await client.message()).status).toBe(200)
  const refused = await client.message()
  expect([refused.status, refused.fields['connection']]).toEqual([400, 'close'])
  expect(await client.ended).toBe('closed')
  expect(client.unread).toBe('')
  expect(gateway.seen).toHaveLength(1)
})

test('a client that asks to close is told so and the connection ends', async () => {
  const gateway = await testGateway()
  const client = await dial(gateway.port)
  expect((await client.get('/', 'connection: close\r\n')).fields['connection']).toBe('close')
  expect(await client.ended).toBe('closed')
})

test('a client of HTTP/1.0 gets its answer by the end of the connection, never in chunks', async () => {
  const upstream = await rawUpstream(async (wire) => {
    const { startLine, fields } = await wire.message()
    expect([startLine, fields['via']]).toEqual(['GET / HTTP/1.1', '1.0 headgate'])
    wire.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n')
  })
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send('GET / HTTP/1.0\r\nhost: a.test\r\nconnection: keep-alive\r\n\r\n')
  const answer = await client.message()
  expect([answer.body, answer.fields['transfer-encoding'], answer.fields['connection']]).toEqual([
    'hello',
    undefined,
    'close',
  ])
})

test('a connection is closed after its last allowed request', async () => {
  const document = { gateway: { limits: { maxRequestsPerConnection: 2 } } }
  const gateway = await testGateway({ document })
  const client = await dial(gateway.port)
  expect((await client.get('/1')).fields['connection']).toBeUndefined()
  expect((await client.get('/2')).fields['connection']).toBe('close')
  expect(await client.ended).toBe('closed')
})

test('a connection beyond the most is reset, and a place that became free is used', async () => {
  const gateway = await testGateway({ document: { gateway: { limits: { maxConnections: 2 } } } })
  const [first, second] = [await dial(gateway.port), await dial(gateway.port)]
  await Promise.all([first.get('/'), second.get('/')])
  const third = await dial(gateway.port)
  expect(await third.ended).toBe('reset')
  first.socket.destroy()
  while (gateway.thread.openConnections > 1) await new Promise((resolve) => setImmediate(resolve))
  expect((await (await dial(gateway.port)).get('/')).status).toBe(200)
})

test('requests beyond the most in flight are refused at once, and the connection stays', async () => {
  const upstream = await rawUpstream()
  const gateway = await testGateway({ target: upstream.url, document: { gateway: { limits: { maxInFlight: 1 } } } })
  const [first, second] = [await dial(gateway.port), await dial(gateway.port)]
  first.send('GET /1 HTTP/1.1\r\nhost: a.test\r\n\r\n')
  const wire = await upstream.next()
  await wire.message()
  const refused = await second.get('/2')
  expect([refused.status, JSON.parse(refused.body)]).toMatchObject([503, { code: 'gateway.overloaded' }])
  wire.send('HTTP/1.1 204 No Content\r\n\r\n')
  expect((await first.message()).status).toBe(204)
  second.send('GET /3 HTTP/1.1\r\nhost: a.test\r\n\r\n')
  expect((await wire.message()).startLine).toBe('GET /3 HTTP/1.1')
  wire.send('HTTP/1.1 204 No Content\r\n\r\n')
  expect((await second.message()).status).toBe(204)
  expect((await gateway.recorded(3))[0]).toMatchObject({ status: 503, blame: 'operator' })
})

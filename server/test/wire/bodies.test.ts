/** Bodies and trailers both ways, and what announces them. */
import { expect, test } from 'vitest'
import { testGateway } from '../test-gateway.ts'
import { dial, echo, rawUpstream } from './wire.ts'

const upload = 'POST /up HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: chunked\r\n'

test('a body comes through as it is framed, whole or in chunks, and so does the next one', async () => {
  const upstream = await rawUpstream(echo)
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send(`${upload}\r\n3\r\nabc\r\n4;note=x\r\ndefg\r\n0\r\n\r\n`)
  expect((await client.message()).body).toBe('POST /up HTTP/1.1 abcdefg')
  client.send('PUT /up HTTP/1.1\r\nhost: a.test\r\ncontent-length: 3\r\n\r\nxyz')
  expect((await client.message()).body).toBe('PUT /up HTTP/1.1 xyz')
  expect((await gateway.recorded(2)).map(({ requestBytes, responseBytes }) => [requestBytes, responseBytes])).toEqual([
    [7, 25],
    [3, 20],
  ])
})

test('trailers go both ways', async () => {
  const upstream = await rawUpstream(async (wire) => {
    const { trailers, body } = await wire.message()
    expect([body, trailers]).toEqual(['abc', { 'x-sum': '17' }])
    wire.send(
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-end\r\n\r\n2\r\nok\r\n0\r\nx-end: yes\r\n\r\n',
    )
  })
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send(`${upload}te: trailers\r\nconnection: te\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 17\r\n\r\n`)
  expect(await client.message()).toMatchObject({ status: 200, body: 'ok', trailers: { 'x-end': 'yes' } })
})

test('an answer until close is passed on in chunks, and the client can go on', async () => {
  const upstream = await rawUpstream(async (wire) => {
    await wire.message()
    wire.send('HTTP/1.1 200 OK\r\n\r\nhello ')
    wire.socket.end('world')
  })
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  for (let i = 0; i < 2; i++) {
    const { body, fields } = await client.get('/')
    expect([body, fields['transfer-encoding']]).toEqual(['hello world', 'chunked'])
  }
  expect(upstream.wires).toHaveLength(2)
})

test('answers that have no body keep the connection in step', async () => {
  const answers = [
    'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n',
    'HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\netag: "a"\r\n\r\n',
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
  ]
  const upstream = await rawUpstream(async (wire) => {
    for (const answer of answers) {
      await wire.message()
      wire.send(answer)
    }
  })
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send('HEAD / HTTP/1.1\r\nhost: a.test\r\n\r\n')
  expect((await client.message({ bodyless: true })).fields['content-length']).toBe('10')
  expect((await client.get('/')).fields).toMatchObject({ 'content-length': '10', etag: '"a"' })
  expect((await client.get('/')).status).toBe(204)
  expect((await client.get('/')).body).toBe('ok')
  expect(upstream.wires).toHaveLength(1)
})

test('interim answers are passed on before the final one, but for 100 and to HTTP/1.0', async () => {
  const upstream = await rawUpstream(async (wire) => {
    for (;;) {
      await wire.message()
      wire.send('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n')
      wire.send('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    }
  })
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  const hints = await client.get('/')
  expect([hints.status, hints.fields['link']]).toEqual([103, '</a.css>; rel=preload'])
  expect((await client.message()).body).toBe('ok')
  const old = await dial(gateway.port)
  old.send('GET / HTTP/1.0\r\nhost: a.test\r\n\r\n')
  expect((await old.message()).status).toBe(200)
})

test('100 is sent when somebody wants the body, and not before', async () => {
  const upstream = await rawUpstream(echo)
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send('POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n')
  expect((await client.message()).status).toBe(100)
  client.send('hi')
  expect((await client.message()).body).toBe('POST / HTTP/1.1 hi')
  expect((await client.get('/next')).status).toBe(200)
})

test('who is refused before a 100 gets none, and the connection ends since the body may come or not', async () => {
  const gateway = await testGateway({ policies: [{ kind: 'key-auth' }] })
  const client = await dial(gateway.port)
  client.send('POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n')
  const refused = await client.message()
  expect([refused.status, refused.fields['connection']]).toEqual([401, 'close'])
  expect(await client.ended).toBe('closed')
})

test('a short body that nobody read is skipped, and the next request is right', async () => {
  const gateway = await testGateway({ policies: [{ kind: 'key-auth', when: "request.method == 'POST'" }] })
  const client = await dial(gateway.port)
  client.send('POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 30\r\n\r\nGET /evil')
  expect((await client.message()).status).toBe(401)
  client.send(' HTTP/1.1\r\nhost: a\r\n\r\n'.slice(0, 21))
  expect((await client.get('/good')).status).toBe(200)
  expect(gateway.seen.map(({ url }) => url)).toEqual(['/good'])
})

test('a long body that nobody reads ends the connection, and the client still gets its answer', async () => {
  const gateway = await testGateway({ policies: [{ kind: 'key-auth' }] })
  const client = await dial(gateway.port)
  client.send(`${upload}\r\n`)
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
  for (let i = 0; i < 32; i++) client.send(chunk)
  const refused = await client.message()
  expect([refused.status, refused.fields['connection']]).toEqual([401, 'close'])
  expect(await client.ended).toBe('closed')
})

const broken = {
  'is malformed': ['zz\r\n', 400, 'http.malformed_body'],
  'is longer than the limit': [`40\r\n${'x'.repeat(64)}\r\n`, 413, 'http.body_too_large'],
} as const
for (const [what, [bytes, status, code]] of Object.entries(broken)) {
  test(`what follows a body that ${what} is never read as a request`, async () => {
    const upstream = await rawUpstream(echo)
    const gateway = await testGateway({
      target: upstream.url,
      document: { gateway: { limits: { maxBodyBytes: 32 } } },
    })
    const client = await dial(gateway.port)
    client.send(`${upload}\r\n`)
    await upstream.next()
    client.send(bytes)
    const refused = await client.message()
    expect([refused.status, JSON.parse(refused.body).code, refused.fields['connection']]).toEqual([
      status,
      code,
      'close',
    ])
    client.send('GET /evil HTTP/1.1\r\nhost: a.test\r\n\r\n')
    expect(await client.ended).toBe('closed')
    expect(await gateway.recorded(1)).toMatchObject([{ status, problem: code, blame: 'caller' }])
    expect(upstream.wires[0]?.unread).not.toContain('evil')
    expect(upstream.wires).toHaveLength(1)
  })
}

test('an early answer of the upstream reaches a client that still sends', async () => {
  const upstream = await rawUpstream(async (wire) => {
    await wire.through('first')
    wire.send('HTTP/1.1 413 Content Too Large\r\ncontent-length: 4\r\n\r\nstop')
  })
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send(`${upload}\r\n5\r\nfirst\r\n`)
  const answer = await client.message()
  expect([answer.status, answer.body, answer.fields['connection']]).toEqual([413, 'stop', 'close'])
  client.send('6\r\nsecond\r\n')
  expect(await client.ended).toBe('closed')
  expect(await gateway.recorded(1)).toMatchObject([{ status: 413, problem: '', requestBytes: 5 }])
})

test('both ways flow at once when the upstream answers before the body has ended', async () => {
  const upstream = await rawUpstream(async (wire) => {
    await wire.through('first')
    wire.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n')
    await wire.through('0\r\n\r\n')
    wire.send('3\r\ntwo\r\n0\r\n\r\n')
  })
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send(`${upload}\r\n5\r\nfirst\r\n`)
  await client.through('one')
  client.send('6\r\nsecond\r\n0\r\n\r\n')
  await client.through('two\r\n0\r\n\r\n')
  expect(await gateway.recorded(1)).toMatchObject([{ status: 200, requestBytes: 11, responseBytes: 6 }])
})

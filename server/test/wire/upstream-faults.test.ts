/** Upstreams that break, lie or stay silent: what clients are told, whom the record blames, and that the rest goes on. */
import { expect, test } from 'vitest'
import { testGateway, type TestGateway, type TestGatewayOptions } from '../test-gateway.ts'
import { dial, echo, rawUpstream, type Wire } from './wire.ts'

const head = 'HTTP/1.1 200 OK\r\n'
const never: object = { retries: { attempts: 0 } }

/** A gateway before an upstream that answers the first request with these bytes, and echoes all others. */
async function firstAnswered(bytes: string, end: 'close' | 'stay', upstream = never): Promise<[TestGateway, Wire]> {
  let first = true
  const server = await rawUpstream(async (wire) => {
    if (!first) return echo(wire)
    first = false
    await wire.message()
    wire.send(bytes)
    if (end === 'close') wire.socket.end()
    return undefined
  })
  const gateway = await testGateway({ target: server.url, upstream })
  return [gateway, await dial(gateway.port)]
}

const cut = {
  'with a length': `${head}content-length: 10\r\n\r\nhalf`,
  'in chunks': `${head}transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n`,
  'within a chunk': `${head}transfer-encoding: chunked\r\n\r\n8\r\nhalf`,
}
for (const [what, bytes] of Object.entries(cut)) {
  test(`an answer ${what} that is cut never looks whole, and the upstream is blamed`, async () => {
    const [gateway, client] = await firstAnswered(bytes, 'close')
    await expect(client.get('/')).rejects.toThrow('The connection is over')
    expect(await gateway.recorded(1)).toMatchObject([
      { status: 200, blame: 'upstream', problem: 'upstream.connection_broken', responseBytes: 4 },
    ])
    expect((await gateway.inject('GET /next')).status).toBe(200)
  })
}

test('an answer until close that is reset never looks whole', async () => {
  const upstream = await rawUpstream(async (wire) => {
    await wire.message()
    wire.socket.write(`${head}\r\nhalf`, () => setImmediate(() => wire.socket.resetAndDestroy()))
  })
  const gateway = await testGateway({ target: upstream.url, upstream: never })
  await expect((await dial(gateway.port)).get('/')).rejects.toThrow('over')
  expect(await gateway.recorded(1)).toMatchObject([{ blame: 'upstream', problem: 'upstream.connection_broken' }])
})

const nonsense = {
  'is no HTTP': ['220 smtp.test ready\r\n\r\n', 'upstream.malformed_response'],
  'has two lengths': [`${head}content-length: 1\r\ncontent-length: 2\r\n\r\nx`, 'upstream.malformed_response'],
  'has an endless head': [`${head}x-a: ${'a'.repeat(70_000)}`, 'upstream.malformed_response'],
  'has a cut head': [`${head}content-le`, 'upstream.connection_broken'],
  'is empty': ['', 'upstream.connection_broken'],
  'has interim answers without end': ['HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(20), 'upstream.malformed_response'],
} as const
for (const [what, [bytes, code]] of Object.entries(nonsense)) {
  test(`an answer that ${what} is a 502 of the upstream's, and the client goes on`, async () => {
    const [gateway, client] = await firstAnswered(bytes, 'close')
    let answer = await client.get('/')
    while (answer.status === 103) answer = await client.message()
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([502, code])
    expect(answer.fields['proxy-status']).toContain('headgate; error=')
    expect((await client.get('/next')).body).toBe('GET /next HTTP/1.1 ')
    expect((await gateway.recorded(2)).map(({ status, blame, problem }) => [status, blame, problem])).toEqual([
      [502, 'upstream', code],
      [200, '', ''],
    ])
  })
}

test('a chunk that lies about its size ends the answer as broken', async () => {
  const [gateway, client] = await firstAnswered(`${head}transfer-encoding: chunked\r\n\r\n4\r\nhalfzz\r\n`, 'stay')
  await expect(client.get('/')).rejects.toThrow('The connection is over')
  expect(await gateway.recorded(1)).toMatchObject([{ blame: 'upstream', problem: 'upstream.malformed_response' }])
})

const silent: Record<string, [bytes: string, timeouts: object]> = {
  'never begins to answer': ['', { firstByteSeconds: 0.5 }],
  'takes too long altogether': ['', { totalSeconds: 0.5 }],
  'stops within its head': [head, { firstByteSeconds: 0.5 }],
}
for (const [what, [bytes, timeouts]] of Object.entries(silent)) {
  test(`an upstream that ${what} is a 504, and the client goes on`, async () => {
    const [gateway, client] = await firstAnswered(bytes, 'stay', { ...never, timeouts })
    const { status, body } = await client.get('/')
    expect([status, JSON.parse(body).code]).toEqual([504, 'upstream.timeout'])
    expect((await client.get('/next')).status).toBe(200)
    expect((await gateway.recorded(2))[0]).toMatchObject({
      status: 504,
      blame: 'upstream',
      problem: 'upstream.timeout',
    })
  })
}

test('an answer that stands still is broken off after the idle time', async () => {
  const timeouts = { idleSeconds: 0.5 }
  const [gateway, client] = await firstAnswered(`${head}content-length: 10\r\n\r\nhalf`, 'stay', { ...never, timeouts })
  await expect(client.get('/')).rejects.toThrow('The connection is over')
  expect(await gateway.recorded(1)).toMatchObject([{ status: 200, blame: 'upstream', problem: 'upstream.timeout' }])
})

test('an upstream that takes no more of a request is given up after the idle time', async () => {
  const upstream = await rawUpstream(async (wire) => {
    await wire.through('\r\n\r\n')
    wire.socket.pause()
  })
  const timeouts = { idleSeconds: 0.5 }
  const gateway = await testGateway({ target: upstream.url, upstream: { ...never, timeouts } })
  const client = await dial(gateway.port)
  client.send(`POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 100000000\r\n\r\n`)
  const piece = Buffer.alloc(65_536)
  const pour = (): void => {
    while (!client.socket.destroyed && client.socket.write(piece));
  }
  client.socket.on('drain', pour)
  pour()
  const { status, body } = await client.message()
  expect([status, JSON.parse(body).code]).toEqual([504, 'upstream.timeout'])
  expect(await gateway.recorded(1)).toMatchObject([{ status: 504, blame: 'upstream' }])
})

test('a stream on which both sides talk in turn is not idle', async () => {
  const upstream = await rawUpstream(async (wire) => {
    await wire.through('\r\n\r\n')
    wire.send(`${head}transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n`)
    await wire.through('0\r\n\r\n')
    wire.send('3\r\nbye\r\n0\r\n\r\n')
  })
  const gateway = await testGateway({
    target: upstream.url,
    upstream: { timeouts: { idleSeconds: 2 } },
    document: { gateway: { limits: { headSeconds: 0.3 } } },
  })
  const client = await dial(gateway.port)
  client.send('POST / HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: chunked\r\n\r\n')
  await client.through('hi')
  const beganMs = performance.now()
  while (performance.now() - beganMs < 3_000) {
    client.send('1\r\nx\r\n')
    // A connection that sends nothing is closed after a while: time passes as the gateway sees it.
    await (
      await dial(gateway.port)
    ).ended
  }
  client.send('0\r\n\r\n')
  await client.through('bye')
  expect(await gateway.recorded(1)).toMatchObject([{ status: 200, problem: '' }])
})

/** An upstream that closes each kept connection as soon as the second request on it has come. */
async function closingAtTheWrongMoment(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const upstream = await rawUpstream(async (wire) => {
    await wire.message()
    wire.send(`${head}content-length: 2\r\n\r\nok`)
    await wire.through('\r\n\r\n')
    wire.socket.destroy()
  })
  return testGateway({ target: upstream.url, ...options })
}

test('a kept connection that the upstream closes under a request costs a GET nothing, and a POST is not repeated', async () => {
  const gateway = await closingAtTheWrongMoment()
  const client = await dial(gateway.port)
  expect([(await client.get('/1')).status, (await client.get('/2')).status]).toEqual([200, 200])
  client.send('POST /3 HTTP/1.1\r\nhost: a.test\r\ncontent-length: 2\r\n\r\nhi')
  const { status, body } = await client.message()
  expect([status, JSON.parse(body).code]).toEqual([502, 'upstream.connection_broken'])
  expect((await gateway.recorded(3)).map(({ attempts, blame }) => [attempts, blame])).toEqual([
    [1, ''],
    [2, ''],
    [1, 'upstream'],
  ])
})

test('a kept connection that was closed before is not used, so that a POST goes through', async () => {
  const upstream = await rawUpstream(async (wire) => {
    await wire.message()
    wire.send(`${head}content-length: 2\r\n\r\nok`)
    wire.socket.end()
  })
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  for (let i = 0; i < 3; i++) {
    client.send('POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 2\r\n\r\nhi')
    expect((await client.message()).status).toBe(200)
    await upstream.wires[i]?.ended
  }
  expect(upstream.wires).toHaveLength(3)
})

test('an answer that nobody asked for is never given to the next request', async () => {
  const evil = `${head}content-length: 4\r\n\r\nevil`
  const upstream = await rawUpstream(async (wire, index) => {
    if (index > 0) return echo(wire)
    await wire.message()
    wire.send(`${head}content-length: 2\r\n\r\nok${evil}`)
    return undefined
  })
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  expect((await client.get('/1')).body).toBe('ok')
  expect((await client.get('/2')).body).toBe('GET /2 HTTP/1.1 ')
  await upstream.wires[0]?.ended
})

test('bytes on an idle connection end it', async () => {
  const upstream = await rawUpstream()
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send('GET /1 HTTP/1.1\r\nhost: a.test\r\n\r\n')
  const wire = await upstream.next()
  await wire.message()
  wire.send(`${head}content-length: 2\r\n\r\nok`)
  await client.message()
  wire.send('HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n')
  await wire.ended
  client.send('GET /2 HTTP/1.1\r\nhost: a.test\r\n\r\n')
  const other = await upstream.next()
  expect((await other.message()).startLine).toBe('GET /2 HTTP/1.1')
})

/** A client that was answered once, and the connection on which its request went to the upstream; further ones echo. */
async function withKept(): Promise<{ client: Wire; kept: Wire }> {
  const upstream = await rawUpstream(async (wire, index) => (index > 0 ? echo(wire) : undefined))
  const client = await dial((await testGateway({ target: upstream.url })).port)
  client.send('GET /1 HTTP/1.1\r\nhost: a.test\r\n\r\n')
  const kept = await upstream.next()
  await kept.message()
  kept.send(`${head}content-length: 2\r\n\r\nok`)
  await client.message()
  return { client, kept }
}

for (const method of ['GET', 'POST']) {
  test(`an answer that came before a ${method} went out is not taken for its own`, async () => {
    const { client, kept } = await withKept()
    // Both are there when the gateway looks again: it reads the request first, and then what nobody asked for.
    client.send(`${method} /2 HTTP/1.1\r\nhost: a.test\r\ncontent-length: 0\r\n\r\n`)
    kept.send(`${head}content-length: 4\r\n\r\nevil`)
    expect((await client.message()).body).toBe(`${method} /2 HTTP/1.1 `)
    await kept.ended
    expect(kept.unread).toBe('')
  })
}

test('a POST whose kept connection broke before it went out goes over another', async () => {
  const { client, kept } = await withKept()
  client.send('POST /2 HTTP/1.1\r\nhost: a.test\r\ncontent-length: 0\r\n\r\n')
  kept.socket.resetAndDestroy()
  expect((await client.message()).body).toBe('POST /2 HTTP/1.1 ')
})

import { once } from 'node:events'
import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { testGateway, type TestGateway } from '../../../test/test-gateway.ts'

function open(gateway: TestGateway): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${gateway.port}`)
  onTestFinished(() => session.destroy())
  return session
}

interface Answer {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

function send(session: ClientHttp2Session, headers: Record<string, string>, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: body === undefined })
    let answer: IncomingHttpHeaders = {}
    let text = ''
    stream.on('response', (received) => (answer = received))
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
    stream.on('end', () => resolve({ headers: answer, body: text }))
    stream.on('error', reject)
    if (body !== undefined) stream.end(body)
  })
}

test('serves HTTP/2 by prior knowledge beside HTTP/1.1 on one port', async () => {
  const gateway = await testGateway()
  const session = open(gateway)
  const answers = await Promise.all(
    ['a', 'b', 'c'].map((name) => send(session, { ':method': 'POST', ':path': `/${name}` }, name)),
  )
  expect(answers.map(({ headers }) => headers[':status'])).toEqual([200, 200, 200])
  expect(answers.map(({ body }) => JSON.parse(body) as unknown)).toEqual(
    ['a', 'b', 'c'].map((name) => ({ method: 'POST', url: `/${name}`, body: name })),
  )
  expect((await gateway.inject('GET /one')).status).toBe(200)
  expect(gateway.records.map(({ version }) => version)).toEqual(['2', '2', '2', '1.1'])
})

test('joins cookies that came apart', async () => {
  const gateway = await testGateway()
  const session = open(gateway)
  const stream = session.request({ ':path': '/', cookie: ['a=1', 'b=2'] })
  stream.resume()
  await new Promise((resolve) => stream.on('close', resolve))
  expect(gateway.seen[0]?.headers.cookie).toBe('a=1; b=2')
})

test('a path with dot segments or a fragment is refused as over HTTP/1.1', async () => {
  const gateway = await testGateway()
  const session = open(gateway)
  expect((await send(session, { ':path': '/a/../../b' })).headers[':status']).toBe(400)
  expect((await send(session, { ':path': '/a#b' })).headers[':status']).toBe(400)
  expect(
    (await send(session, { ':path': '/a', ':authority': 'one.example', host: 'other.example' })).headers[':status'],
  ).toBe(400)
  expect((await send(session, { ':path': '/fine' })).headers[':status']).toBe(200)
  expect(gateway.seen.map(({ url }) => url)).toEqual(['/fine'])
  expect((await gateway.recorded(4)).map(({ version }) => version)).toEqual(['2', '2', '2', '2'])
})

test('fields of any kind come and go as they are, in whatever way the client compresses them', async () => {
  const gateway = await testGateway({
    respond: (request, response) => {
      for (const [name, value] of Object.entries(request.headers))
        if (name.startsWith('x-')) response.setHeader(name, value ?? '')
      response.end()
    },
  })
  const session = open(gateway)
  const name = fc
    .string({ unit: fc.constantFrom('a', 'b', '-', '0', '_', '~'), minLength: 1, maxLength: 8 })
    .map((text) => `x-q${text}`)
  const value = fc
    .string({ unit: 'binary', maxLength: 60 })
    .map((text) => text.replaceAll(/[^\x20-\x7e\xa0-\xff]/g, '.').trim())
  await fc.assert(
    fc.asyncProperty(fc.dictionary(name, value, { maxKeys: 8 }), async (fields) => {
      const { headers } = await send(session, { ':path': '/', ...fields })
      expect(headers).toMatchObject(fields)
    }),
    { numRuns: 150 },
  )
  expect(gateway.logged).toEqual([])
})

test('answers that have no body end with their head', async () => {
  const gateway = await testGateway({
    respond: (request, response) => response.writeHead(request.url === '/204' ? 204 : 304, { etag: '"a"' }).end(),
  })
  const session = open(gateway)
  expect(await send(session, { ':path': '/204' })).toMatchObject({ headers: { ':status': 204 }, body: '' })
  expect(await send(session, { ':path': '/304' })).toMatchObject({ headers: { ':status': 304, etag: '"a"' }, body: '' })
})

test('an answer to HEAD says the length and has no body', async () => {
  const gateway = await testGateway({
    respond: (_, response) => void response.setHeader('content-length', '5').end('hello'),
  })
  const answer = await send(open(gateway), { ':method': 'HEAD', ':path': '/' })
  expect(answer).toMatchObject({ headers: { ':status': 200, 'content-length': '5' }, body: '' })
})

test('early hints come before the answer, trailers behind it', async () => {
  const gateway = await testGateway({
    respond: (_, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' })
      response.writeHead(200, { trailer: 'x-sum' })
      response.write('hello')
      response.addTrailers({ 'x-sum': '5' })
      response.end()
    },
  })
  const stream = open(gateway).request({ ':path': '/' })
  const hints = once(stream, 'headers')
  const trailers = once(stream, 'trailers')
  stream.resume()
  const [[early], [late]] = (await Promise.all([hints, trailers])) as [IncomingHttpHeaders[], IncomingHttpHeaders[]]
  expect([early, late]).toMatchObject([{ ':status': 103, link: '</style.css>; rel=preload' }, { 'x-sum': '5' }])
})

test('trailers of a request reach the upstream', async () => {
  let seen: NodeJS.Dict<string> = {}
  const gateway = await testGateway({
    respond: (request, response) => {
      seen = request.trailers
      response.end()
    },
  })
  const stream = open(gateway).request({ ':method': 'POST', ':path': '/' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '5', 'x-api-key': 'dropped' }))
  stream.end('hello')
  stream.resume()
  await once(stream, 'close')
  expect(seen).toEqual({ 'x-sum': '5' })
})

test('a client that waits for 100 is told to go on when the body is wanted', async () => {
  const gateway = await testGateway()
  const stream = open(gateway).request({ ':method': 'POST', ':path': '/', expect: '100-continue' })
  await once(stream, 'continue')
  stream.end('hello')
  stream.resume()
  await once(stream, 'close')
  expect(gateway.seen[0]?.body).toBe('hello')
})

test('long bodies pass whole both ways, many at once', async () => {
  const gateway = await testGateway({ respond: (_, response, body) => void response.end(body) })
  const session = open(gateway)
  const bodies = Array.from({ length: 8 }, (_, i) => String(i).repeat(1_500_000))
  const answers = await Promise.all(bodies.map((body) => send(session, { ':method': 'POST', ':path': '/' }, body)))
  expect(answers.map(({ body }, i) => body === bodies[i])).toEqual(bodies.map(() => true))
  expect((await gateway.recorded(8)).map(({ requestBytes, responseBytes }) => [requestBytes, responseBytes])).toEqual(
    bodies.map(() => [1_500_000, 1_500_000]),
  )
})

test('a short answer is not held up by a long one that its client takes slowly', async () => {
  const gateway = await testGateway({
    respond: (request, response) => void response.end(request.url === '/long' ? Buffer.alloc(5_000_000) : 'short'),
  })
  const session = open(gateway)
  await once(session, 'connect')
  session.setLocalWindowSize(10_000_000)
  const long = session.request({ ':path': '/long' })
  await once(long, 'response')
  expect((await send(session, { ':path': '/short' })).body).toBe('short')
  let bytes = 0
  long.on('data', (chunk: Buffer) => (bytes += chunk.length))
  await once(long, 'end')
  expect(bytes).toBe(5_000_000)
})

test('a sender is held back while nobody takes its body, and the other streams go on', async () => {
  const gateway = await testGateway({
    policies: [{ kind: 'fault', when: "request.path == '/slow'", config: { delay: { milliseconds: 60_000 } } }],
  })
  const session = open(gateway)
  const slow = session.request({ ':method': 'POST', ':path': '/slow' })
  slow.on('error', () => undefined)
  slow.write(Buffer.alloc(3_000_000))
  const body = 'x'.repeat(2_000_000)
  const answer = await send(session, { ':method': 'POST', ':path': '/' }, body)
  expect((JSON.parse(answer.body) as { body: string }).body.length).toBe(2_000_000)
  // The window of a stream is one mebibyte: the rest stays with the client.
  expect(slow.writableLength).toBeGreaterThan(0)
  slow.close()
})

test('a client that cancels leaves a record of its own, and its upstream is let go', async () => {
  let closed: Promise<unknown> = Promise.resolve()
  const gateway = await testGateway({
    respond: (_, response) => {
      closed = once(response, 'close')
      response.write('some')
    },
  })
  const stream = open(gateway).request({ ':path': '/' })
  await once(stream, 'data')
  stream.close(constants.NGHTTP2_CANCEL)
  expect((await gateway.recorded(1)).map(({ status }) => status)).toEqual([499])
  await closed
})

test('an upstream that breaks off resets the stream, so that nobody takes the answer for whole', async () => {
  const gateway = await testGateway({
    respond: (_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('some', () => response.destroy())
    },
  })
  const session = open(gateway)
  await expect(send(session, { ':path': '/' })).rejects.toThrow('NGHTTP2_INTERNAL_ERROR')
  expect((await gateway.recorded(1)).map(({ status }) => status)).toEqual([200])
  expect(session.destroyed).toBe(false)
})

test('a body beyond its limit is answered with 413', async () => {
  const gateway = await testGateway({ document: { gateway: { limits: { maxBodyBytes: 1000 } } } })
  const session = open(gateway)
  expect((await send(session, { ':method': 'POST', ':path': '/' }, 'x'.repeat(1001))).headers[':status']).toBe(413)
  expect((await send(session, { ':method': 'POST', ':path': '/' }, 'x'.repeat(1000))).headers[':status']).toBe(200)
})

test('a table of another size is obeyed', async () => {
  const gateway = await testGateway()
  for (const headerTableSize of [0, 100, 65_536]) {
    const session = connect(`http://127.0.0.1:${gateway.port}`, { settings: { headerTableSize } })
    onTestFinished(() => session.destroy())
    for (let i = 0; i < 3; i++) {
      const { headers } = await send(session, { ':path': '/' })
      expect(headers).toMatchObject({ ':status': 200, 'content-type': 'application/json' })
    }
    session.settings({ headerTableSize: 200 })
    await once(session, 'localSettings')
    expect((await send(session, { ':path': '/' })).headers).toMatchObject({ 'content-type': 'application/json' })
  }
})

import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { expect, test } from 'vitest'
import { END_HEADERS, END_STREAM, FRAME, toFrame, toReset, toSection } from '../../../test/http2-frames.ts'
import {
  startServer,
  createClient,
  answerWith,
  failureOf,
  startFrameServer,
  onRequest,
} from '../../../test/http2-targets.ts'
import { HandBody, readWhole, sendRequest, toRequest } from '../../../test/upstream-call.ts'
import { isBodySource } from '../../kernel/body.ts'
import { Fields } from '../../kernel/fields.ts'

const OK: readonly [string, string] = [':status', '200']

test('a request arrives as it was given and its answer comes back whole, over h2c', async () => {
  const seen: IncomingHttpHeaders[] = []
  const { port } = await startServer((stream, headers) => {
    seen.push(headers)
    stream.respond({ ':status': 201, 'x-kind': ['a', 'b'], 'content-length': 5 })
    stream.end('hello')
  })
  const request = toRequest({
    method: 'POST',
    path: '/books?x=1',
    header: { 'x-one': '1' },
    body: Buffer.from('body'),
    acceptsTrailers: true,
  })
  const { status, fields, body } = await sendRequest(createClient(port), request).answer
  expect(seen[0]).toMatchObject({
    ':method': 'POST',
    ':path': '/books?x=1',
    ':authority': 'books.test',
    ':scheme': 'http',
    'x-one': '1',
    'content-length': '4',
    te: 'trailers',
  })
  expect(status).toBe(201)
  expect(fields.names.filter((name) => name !== 'date')).toEqual(['x-kind', 'x-kind'])
  expect(isBodySource(body) ? body.bodyBytes : undefined).toBe(5)
  expect((await readWhole(body)).bytes.toString()).toBe('hello')
})

test('trailers pass whole in both directions', async () => {
  const trailersSeen: unknown[] = []
  const { port } = await startServer((stream) => {
    stream.on('trailers', (trailers) => trailersSeen.push(trailers['x-sum']))
    stream.on('end', () => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-many': ['1', '2'] }))
      stream.end('done')
    })
    stream.resume()
  })
  const source = new HandBody()
  const pending = sendRequest(createClient(port), toRequest({ method: 'POST', body: source }))
  await source.write('part one, ')
  await source.write('part two')
  await source.end(Fields.of({ 'x-sum': '17' }))
  const { bytes, trailers } = await readWhole((await pending.answer).body)
  expect(bytes.toString()).toBe('done')
  expect(trailers?.get('grpc-status')).toBe('0')
  expect(trailers?.joined('x-many')).toBe('1, 2')
  expect(trailersSeen).toEqual(['17'])
})

test('a gRPC answer of trailers only comes as a head without a body', async () => {
  const { port } = await startServer((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' }, { endStream: true })
  })
  const source = new HandBody()
  const { answer } = sendRequest(createClient(port), toRequest({ method: 'POST', body: source }))
  const { status, fields, body } = await answer
  expect([status, fields.get('grpc-status'), body]).toEqual([200, '5', undefined])
})

test('interim answers are passed on, 100 is kept', async () => {
  const { port } = await startServer((stream) => {
    stream.additionalHeaders({ ':status': 103, link: '</a.css>' })
    stream.respond({ ':status': 200 }, { endStream: true })
  })
  const pending = sendRequest(createClient(port), toRequest())
  await pending.answer
  expect(pending.interim.map(({ status, fields }) => [status, fields.get('link')])).toEqual([[103, '</a.css>']])
})

test('a stalled reader stalls its sender and nobody else on the connection', async () => {
  let writtenBytes = 0
  const { port, sessions } = await startServer((stream, headers) => {
    if (headers[':path'] === '/quick') {
      answerWith('quick')(stream, headers)
      return
    }
    stream.respond({ ':status': 200 })
    const chunk = Buffer.alloc(65_536)
    const writeMore = (): void => {
      stream.write(chunk, (error) => {
        writtenBytes += chunk.length
        if (error === undefined || error === null) writeMore()
      })
    }
    writeMore()
  })
  const client = createClient(port)
  const stalled = await Promise.all(Array.from({ length: 8 }, () => sendRequest(client, toRequest()).answer))
  for (const { body } of stalled) {
    if (isBodySource(body)) body.flow({ chunk: () => false, end: () => undefined, fail: () => undefined })
  }
  for (let i = 0; i < 20; i++) {
    const quick = await sendRequest(client, toRequest({ path: '/quick' })).answer
    expect((await readWhole(quick.body)).bytes.toString()).toBe('quick')
  }
  expect(sessions.length).toBe(1)
  expect(writtenBytes).toBeLessThan(8 * 1_048_576)
})

test('a target that does not read holds the sender of the body back until it does', async () => {
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<ServerHttp2Stream>()
  const { port } = await startServer((stream) => arrive(stream))
  const source = new HandBody()
  const pending = sendRequest(createClient(port), toRequest({ method: 'PUT', body: source }))
  let sentBytes = 0
  while (await source.write(Buffer.alloc(16_384))) sentBytes += 16_384
  expect(sentBytes).toBeLessThan(1_048_576)
  const drained = source.drained()
  const stream = await arrived
  stream.resume()
  await drained
  await source.end()
  stream.respond({ ':status': 204 }, { endStream: true })
  expect((await pending.answer).status).toBe(204)
})

test('a body of another length than announced fails', async () => {
  const head = toSection([OK, ['content-length', '10']])
  const answer = (id: number): Buffer =>
    Buffer.concat([toFrame(FRAME.headers, END_HEADERS, id, head), toFrame(FRAME.data, END_STREAM, id, 'short')])
  const port = await startFrameServer(onRequest(answer))
  const outcome = sendRequest(createClient(port), toRequest()).answer.then(({ body }) => readWhole(body))
  expect(await failureOf(outcome)).toMatchObject({ kind: 'protocol' })
})

test('a HEAD keeps the length of the body that is not there', async () => {
  const head = toSection([OK, ['content-length', '1234']])
  const port = await startFrameServer(onRequest((id) => toFrame(FRAME.headers, END_HEADERS | END_STREAM, id, head)))
  const { fields, body } = await sendRequest(createClient(port), toRequest({ method: 'HEAD' })).answer
  expect([fields.get('content-length'), body]).toEqual(['1234', undefined])
})

test('when the answer is whole before the body of the request is, its source is told to stop', async () => {
  const port = await startFrameServer(
    onRequest((id) =>
      Buffer.concat([
        toFrame(FRAME.headers, END_HEADERS | END_STREAM, id, toSection([[':status', '413']])),
        toReset(id, constants.NGHTTP2_NO_ERROR),
      ]),
    ),
  )
  const source = new HandBody()
  const { answer } = sendRequest(createClient(port), toRequest({ method: 'POST', body: source }))
  expect((await answer).status).toBe(413)
  await source.cancelled
})

test('WebSocket passes by extended CONNECT and looks like the 101 of HTTP/1.1', async () => {
  const seen: IncomingHttpHeaders[] = []
  const { port } = await startServer(
    (stream, headers) => {
      seen.push(headers)
      stream.respond({ ':status': 200, 'sec-websocket-protocol': 'chat' })
      stream.pipe(stream)
    },
    { settings: { enableConnectProtocol: true } },
  )
  const up = new HandBody()
  const header = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' }
  const { answer } = sendRequest(
    createClient(port),
    toRequest({ path: '/chat', upgrade: 'websocket', header, body: up }),
  )
  const { status, fields, body } = await answer
  expect(seen[0]).toMatchObject({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat' })
  expect(seen[0]?.['sec-websocket-key']).toBeUndefined()
  expect(status).toBe(101)
  expect(fields.get('sec-websocket-accept')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  await up.write('ping over the tunnel')
  await up.end()
  expect((await readWhole(body)).bytes.toString()).toBe('ping over the tunnel')
})

test('a target without extended CONNECT fails a WebSocket before anything is sent', async () => {
  const { port } = await startServer(answerWith(''))
  const request = toRequest({ upgrade: 'websocket', body: new HandBody() })
  expect(await failureOf(sendRequest(createClient(port), request).answer)).toMatchObject({ sent: 'nothing' })
})

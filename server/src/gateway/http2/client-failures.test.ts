import { constants, type ServerHttp2Stream } from 'node:http2'
import { expect, test } from 'vitest'
import { END_HEADERS, END_STREAM, FRAME, toFrame, toGoaway, toReset, toSection } from '../../../test/http2-frames.ts'
import { startServer, createClient, failureOf, startFrameServer, onRequest } from '../../../test/http2-targets.ts'
import { HandBody, readWhole, sendRequest, toRequest } from '../../../test/upstream-call.ts'
import { isBodySource } from '../../kernel/body.ts'
import { Fields } from '../../kernel/fields.ts'
import { UpstreamError } from '../upstream/client.ts'

test('interim answers without end are a breach of the protocol', async () => {
  const early = toSection([[':status', '103']])
  const port = await startFrameServer(
    onRequest((id) => Buffer.concat(Array.from({ length: 20 }, () => toFrame(FRAME.headers, END_HEADERS, id, early)))),
  )
  expect(await failureOf(sendRequest(createClient(port), toRequest()).answer)).toMatchObject({ kind: 'protocol' })
})

test('trailers of the request that HTTP/2 cannot say fail it instead of being left out', async () => {
  const { port } = await startServer((stream) => stream.resume())
  const source = new HandBody()
  const { answer } = sendRequest(createClient(port), toRequest({ method: 'POST', body: source }))
  await source.write('body')
  await source.end(Fields.of({ 'not a name': 'x' }))
  expect(await failureOf(answer)).toMatchObject({ kind: 'request-body', sent: 'some' })
})

test('a refused stream is known to be unprocessed', async () => {
  const port = await startFrameServer(onRequest((id) => toReset(id, constants.NGHTTP2_REFUSED_STREAM)))
  const { answer } = sendRequest(createClient(port), toRequest({ method: 'POST', body: Buffer.from('x') }))
  expect(await failureOf(answer)).toMatchObject({ kind: 'reset', sent: 'unprocessed' })
})

test.each([constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_ENHANCE_YOUR_CALM])(
  'GOAWAY with code %i leaves streams above its last one unprocessed, and the next request gets a new connection',
  async (code) => {
    let connections = 0
    const port = await startFrameServer((frame, socket) => {
      if (frame.type === FRAME.settings) connections++
      if (frame.type !== FRAME.headers) return
      if (frame.streamId === 3) socket.write(toGoaway(1, code))
      else if (connections > 2) {
        socket.write(toFrame(FRAME.headers, END_HEADERS | END_STREAM, frame.streamId, toSection([[':status', '200']])))
      }
    })
    const client = createClient(port)
    const first = sendRequest(client, toRequest())
    const second = sendRequest(client, toRequest({ method: 'POST', body: Buffer.from('x') }))
    expect(await failureOf(second.answer)).toMatchObject({ sent: 'unprocessed' })
    connections = 3
    expect((await sendRequest(client, toRequest()).answer).status).toBe(200)
    first.call.cancel()
  },
)

test('a target that dies before its answer, or in the midst of it, fails the call with what was sent', async () => {
  const { port, sessions } = await startServer((stream, headers) => {
    if (headers[':path'] === '/midst') {
      stream.respond({ ':status': 200 })
      stream.write('half')
    } else sessions[0]?.destroy()
  })
  const client = createClient(port)
  const { body } = await sendRequest(client, toRequest({ path: '/midst' })).answer
  const broken = readWhole(body)
  broken.catch(() => undefined)
  expect(await failureOf(sendRequest(client, toRequest()).answer)).toMatchObject({ kind: 'reset', sent: 'some' })
  expect(await failureOf(broken)).toMatchObject({ sent: 'some' })
})

test('a cancelled call resets its stream and is told nothing', async () => {
  const { promise: reset, resolve } = Promise.withResolvers<number>()
  const { port } = await startServer((stream) => {
    stream.on('close', () => resolve(stream.rstCode))
    stream.respond({ ':status': 200 })
    stream.write('begun')
  })
  const pending = sendRequest(createClient(port), toRequest())
  const { body } = await pending.answer
  if (isBodySource(body)) body.flow({ chunk: () => true, end: () => undefined, fail: () => pending.outcomes++ })
  pending.call.cancel()
  expect(await reset).toBe(constants.NGHTTP2_CANCEL)
  expect(pending.outcomes).toBe(1)
})

test('an aborted call fails with the given reason, whether it waits or is under way', async () => {
  const arrived: ServerHttp2Stream[] = []
  const { port } = await startServer((stream) => arrived.push(stream), { settings: { maxConcurrentStreams: 1 } })
  const client = createClient(port, { maxConnections: 1 })
  const sent = sendRequest(client, toRequest())
  while (arrived.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const waiting = sendRequest(client, toRequest())
  waiting.call.abort('timeout', 'too slow')
  sent.call.abort('timeout', 'too slow')
  expect(await failureOf(waiting.answer)).toMatchObject({ kind: 'timeout', sent: 'nothing', message: 'too slow' })
  expect(await failureOf(sent.answer)).toMatchObject({ kind: 'timeout', sent: 'some' })
})

const OK: readonly [string, string] = [':status', '200']
test.each([
  ['no status', [['x-a', 'b']]],
  ['a status of two digits', [[':status', '20']]],
  ['the status 101', [[':status', '101']]],
  ['a second status', [OK, OK]],
  ['another pseudo field', [OK, [':path', '/']]],
  ['a name in upper case', [OK, ['X-Bad', '1']]],
  ['a connection field', [OK, ['connection', 'close']]],
  ['a transfer coding', [OK, ['transfer-encoding', 'chunked']]],
  ['two lengths', [OK, ['content-length', '1'], ['content-length', '2']]],
  ['a length that is no number', [OK, ['content-length', '1a']]],
] satisfies [string, (readonly [string, string])[]][])(
  'an answer with %s is a breach of the protocol',
  async (_what, section) => {
    const port = await startFrameServer(onRequest((id) => toFrame(FRAME.headers, END_HEADERS, id, toSection(section))))
    expect(await failureOf(sendRequest(createClient(port), toRequest()).answer)).toMatchObject({ kind: 'protocol' })
  },
)

test.each([
  ['line break', 'a\r\nset-cookie: b'],
  ['NUL', 'a\0b'],
])('a field value with a %s never reaches the caller', async (_what, value) => {
  const section = toSection([OK, ['x-bad', value]])
  const port = await startFrameServer(onRequest((id) => toFrame(FRAME.headers, END_HEADERS | END_STREAM, id, section)))
  const outcome = await sendRequest(createClient(port), toRequest()).answer.catch((error: unknown) => error)
  expect(outcome instanceof UpstreamError ? [] : outcome).not.toMatchObject({ fields: { names: ['x-bad'] } })
})

test.each([
  ['with a length', [['content-length', '10']]],
  ['without a length', []],
] satisfies [string, (readonly [string, string])[]][])(
  'a body %s that is cut politely fails',
  async (_what, length) => {
    const head = toSection([OK, ...length])
    const port = await startFrameServer(
      onRequest((id) =>
        Buffer.concat([
          toFrame(FRAME.headers, END_HEADERS, id, head),
          toFrame(FRAME.data, 0, id, 'short'),
          toReset(id, constants.NGHTTP2_NO_ERROR),
        ]),
      ),
    )
    const { body } = await sendRequest(createClient(port), toRequest()).answer
    expect(await failureOf(readWhole(body))).toMatchObject({ kind: 'reset' })
  },
)

test('a request whose body breaks off is reset, and the target is not blamed', async () => {
  const { promise: reset, resolve } = Promise.withResolvers<number>()
  const { port } = await startServer((stream) => stream.on('close', () => resolve(stream.rstCode)))
  const source = new HandBody()
  const { answer } = sendRequest(createClient(port), toRequest({ method: 'POST', body: source }))
  await source.write('half')
  source.fail(new Error('client left'))
  expect(await failureOf(answer)).toMatchObject({ kind: 'request-body', sent: 'some' })
  expect(await reset).toBe(constants.NGHTTP2_CANCEL)
})

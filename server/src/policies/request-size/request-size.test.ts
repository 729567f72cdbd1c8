import { expect, test } from 'vitest'
import { BodyProblem } from '../../kernel/body-problem.ts'
import { isBodySource, type BodySink, type BodySource } from '../../kernel/body.ts'
import type { Exchange } from '../../kernel/exchange.ts'
import { Problem } from '../../kernel/problem.ts'
import { testExchange } from '../../../test/test-exchange.ts'
import { testGateway } from '../../../test/test-gateway.ts'
import { checkPolicy, runPolicy } from '../../../test/test-services.ts'
import { requestSize } from './request-size.ts'

/** A body whose length is not announced; remembers whether it was told to stop. */
function createStream(chunks: readonly string[]): BodySource & { readonly state: { cancelled: boolean } } {
  const state = { cancelled: false }
  return {
    state,
    bodyBytes: undefined,
    flow(sink) {
      for (const chunk of chunks) if (!state.cancelled) sink.chunk(Buffer.from(chunk))
      if (!state.cancelled) sink.end(undefined)
    },
    resume: () => undefined,
    cancel: () => {
      state.cancelled = true
    },
  }
}

interface Received extends BodySink {
  text: string
  ended: boolean
  cause: Error | undefined
}

function receive(exchange: Exchange): Received {
  const received: Received = {
    text: '',
    ended: false,
    cause: undefined,
    chunk(bytes) {
      received.text += Buffer.from(bytes).toString()
      return true
    },
    end: () => {
      received.ended = true
    },
    fail: (cause) => {
      received.cause = cause
    },
  }
  const { body } = exchange.request
  if (body !== undefined && isBodySource(body)) body.flow(received)
  return received
}

async function codeOf(config: unknown, exchange: Exchange): Promise<string | undefined> {
  const { answer } = await runPolicy(requestSize, config, exchange)
  return answer instanceof Problem ? answer.definition.code : undefined
}

test('a body with an announced length over the limit is refused before any of it is read', async () => {
  const stream = createStream(['never'])
  const exchange = testExchange({ method: 'POST', body: { ...stream, bodyBytes: 11 } })
  expect(await codeOf({ maxBodyBytes: 10 }, exchange)).toBe('request_size.body_too_large')
})

test('a body of exactly the limit passes, announced, whole or streamed', async () => {
  const announced = { ...createStream([]), bodyBytes: 10 }
  expect(await codeOf({ maxBodyBytes: 10 }, testExchange({ body: announced }))).toBeUndefined()
  expect(await codeOf({ maxBodyBytes: 10 }, testExchange({ body: '0123456789' }))).toBeUndefined()

  const exchange = testExchange({ body: createStream(['01234', '56789']) })
  expect(await codeOf({ maxBodyBytes: 10 }, exchange)).toBeUndefined()
  expect(receive(exchange)).toMatchObject({ text: '0123456789', ended: true, cause: undefined })
})

test('a body that was read already is refused by its size', async () => {
  expect(await codeOf({ maxBodyBytes: 10 }, testExchange({ body: '01234567890' }))).toBe('request_size.body_too_large')
})

test('a streamed body breaks off with the problem at the first chunk over the limit and is not ended', async () => {
  const stream = createStream(['01234', '567890', 'more'])
  const exchange = testExchange({ body: stream })
  await codeOf({ maxBodyBytes: 10 }, exchange)
  const received = receive(exchange)

  expect(received).toMatchObject({ text: '01234', ended: false })
  expect(received.cause instanceof BodyProblem && received.cause.problem.definition.status).toBe(413)
  expect(stream.state.cancelled).toBe(true)
})

test('a body that breaks off by itself keeps its own reason', async () => {
  const broken: BodySource = { ...createStream([]), flow: (sink) => sink.fail(new Error('client left')) }
  const exchange = testExchange({ body: broken })
  await codeOf({ maxBodyBytes: 10 }, exchange)
  expect(receive(exchange).cause?.message).toBe('client left')
})

test('a request without a body passes a limit of zero bytes', async () => {
  expect(await codeOf({ maxBodyBytes: 0 }, testExchange())).toBeUndefined()
})

test('header fields count with names, values and line ends', async () => {
  const exchange = (): Exchange => testExchange({ headers: { cookie: 'a=b' } })
  expect(await codeOf({ maxHeaderBytes: 13 }, exchange())).toBeUndefined()
  expect(await codeOf({ maxHeaderBytes: 12 }, exchange())).toBe('request_size.headers_too_large')
})

test.each([
  ['a=1&b=2', undefined],
  ['&a=1&&b=2&', undefined],
  [undefined, undefined],
  ['a=1&a=2&a=3', 'request_size.too_many_query_parameters'],
  ['a&b&c', 'request_size.too_many_query_parameters'],
])('two query parameters at most: %s gives %s', async (query, code) => {
  const exchange = query === undefined ? testExchange() : testExchange({ query })
  expect(await codeOf({ maxQueryParameters: 2 }, exchange)).toBe(code)
})

test('an entry that limits nothing is refused', () => {
  expect(checkPolicy(requestSize, {})).toHaveLength(1)
  expect(checkPolicy(requestSize, { maxBodyBytes: -1 })).toHaveLength(1)
})

test.each(requestSize.examples)('example: $title', async ({ config }) => {
  expect(checkPolicy(requestSize, config)).toEqual([])
  expect(await codeOf(config, testExchange({ body: 'small' }))).toBeUndefined()
})

test('through a gateway: announced and streamed bodies over the limit get 413, and none reaches the upstream whole', async () => {
  const gateway = await testGateway({ policies: [{ kind: 'request-size', config: { maxBodyBytes: 10 } }] })
  const chunked = { 'transfer-encoding': 'chunked' }
  const answers = [
    await gateway.inject('POST /a', { body: '0123456789' }),
    await gateway.inject('POST /a', { body: '01234567890', headers: { 'content-length': '11' } }),
    await gateway.inject('POST /a', { body: '0123456789', headers: chunked }),
    await gateway.inject('POST /a', { body: '01234567890', headers: chunked }),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 413, 200, 413])
  expect(JSON.parse(answers[3]?.body ?? '')).toMatchObject({ code: 'request_size.body_too_large' })
  expect(gateway.seen.map(({ body }) => body)).toEqual(['0123456789', '0123456789'])
})

import { expect, test } from 'vitest'
import { testGateway } from '../../test/test-gateway.ts'

test('forwards a request and its answer, and leaves one record', async () => {
  const gateway = await testGateway()
  const answer = await gateway.inject('POST /books?sort=title', { headers: { 'x-own': 'kept' }, body: 'hello' })
  expect(answer.status).toBe(200)
  expect(JSON.parse(answer.body)).toEqual({ method: 'POST', url: '/books?sort=title', body: 'hello' })
  expect(gateway.seen[0]?.headers).toMatchObject({
    'x-own': 'kept',
    'x-forwarded-for': '127.0.0.1',
    via: '1.1 headgate',
  })
  const [record] = await gateway.recorded(1)
  expect(record).toMatchObject({
    method: 'POST',
    path: '/books',
    status: 200,
    requestBytes: 5,
    attempts: 1,
    problem: '',
  })
  expect(answer.headers['x-request-id']).toBe(record?.id)
  expect(gateway.seen[0]?.headers['x-request-id']).toBe(record?.id)
})

test('does not believe what a client says about how it came', async () => {
  const gateway = await testGateway()
  await gateway.inject('GET /', {
    headers: {
      'x-forwarded-for': '10.9.8.7',
      'x-forwarded-proto': 'https',
      forwarded: 'for=10.9.8.7',
      via: '1.1 evil',
      'x-request-id': 'mine',
    },
  })
  const headers = gateway.seen[0]?.headers ?? {}
  expect(headers['x-forwarded-for']).toBe('127.0.0.1')
  expect(headers['x-forwarded-proto']).toBe('http')
  expect(headers.forwarded).toBeUndefined()
  expect(headers.via).toBe('1.1 headgate')
  expect(headers['x-request-id']).not.toBe('mine')
})

test('answers 404 where no route matches, and 405 with Allow where only the method does not', async () => {
  const gateway = await testGateway({ routes: [{ name: 'list', match: { methods: ['GET', 'HEAD'], path: '/books' } }] })
  const missing = await gateway.inject('GET /nothing')
  expect(missing.status).toBe(404)
  expect(missing.headers['content-type']).toBe('application/problem+json')
  expect(missing.headers['proxy-status']).toContain('headgate')
  const wrong = await gateway.inject('DELETE /books')
  expect(wrong.status).toBe(405)
  expect(wrong.headers.allow).toBe('GET, HEAD')
  expect(gateway.seen).toEqual([])
})

test('an unreachable upstream is a 502 that blames the upstream', async () => {
  const gateway = await testGateway({ target: 'http://127.0.0.1:1' })
  const answer = await gateway.inject('GET /')
  expect(answer.status).toBe(502)
  expect(JSON.parse(answer.body)).toMatchObject({ code: 'upstream.connect_failed' })
  const [record] = await gateway.recorded(1)
  expect(record).toMatchObject({ status: 502, blame: 'upstream', problem: 'upstream.connect_failed' })
})

import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
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
  const answers = await Promise.all(['a', 'b', 'c'].map((name) => send(session, { ':method': 'POST', ':path': `/${name}` }, name)))
  expect(answers.map(({ headers }) => headers[':status'])).toEqual([200, 200, 200])
  expect(answers.map(({ body }) => JSON.parse(body))).toEqual(['a', 'b', 'c'].map((name) => ({ method: 'POST', url: `/${name}`, body: name })))
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
  expect((await send(session, { ':path': '/a', ':authority': 'one.example', host: 'other.example' })).headers[':status']).toBe(400)
  expect((await send(session, { ':path': '/fine' })).headers[':status']).toBe(200)
  expect(gateway.seen.map(({ url }) => url)).toEqual(['/fine'])
})

/** Requests and answers whose fields are those of the one before: what was changed in one is not seen in the next. */
import { expect, test } from 'vitest'
import { testGateway } from '../test-gateway.ts'
import { dial, rawUpstream, type Wire } from './wire.ts'

const LINES =
  'X-Internal-Role: admin\r\nX-Tenant: acme\r\nX-Trace: t\r\nX-Trace: u\r\nX-Hop: h\r\nConnection: x-hop\r\n' +
  'X-Request-Id: theirs\r\nX-Forwarded-For: 192.0.2.9\r\nVia: 1.1 x\r\n'

/** Answers with the same fields each time, however often it is asked; refuses every third first. */
async function answer(wire: Wire): Promise<void> {
  for (let count = 0; ; count++) {
    const { startLine, fields } = await wire.message()
    const text = startLine.startsWith('HEAD') ? '' : JSON.stringify(fields)
    const status = count % 3 === 2 ? 503 : 200
    const own =
      'Server: s\r\nX-Secret: s\r\nX-Old: o\r\nX-Many: 1\r\nX-Many: 2\r\nX-Request-Id: theirs\r\nCache-Control: private\r\n'
    const length = startLine.startsWith('HEAD') ? 5 : text.length
    wire.send(`HTTP/1.1 ${status} OK\r\n${own}Content-Length: ${length}\r\n\r\n${text}`)
  }
}

test('each of a connection is changed as if it were the only one, also when it is sent again', async () => {
  const upstream = await rawUpstream(answer)
  const gateway = await testGateway({
    target: upstream.url,
    upstream: {
      headers: [{ name: 'x-upstream-key', value: 'ours' }],
      retries: { attempts: 2, statuses: [503], budgetPercent: 100 },
    },
    policies: [
      {
        kind: 'headers',
        config: {
          request: {
            remove: ['x-internal-*'],
            rename: { 'x-tenant': 'x-org' },
            set: { 'x-trace': 'one' },
            add: { 'x-more': 'm' },
          },
          response: {
            remove: ['x-secret'],
            rename: { 'x-old': 'x-new' },
            set: { 'x-many': '3' },
            add: { 'x-more': 'm' },
          },
        },
      },
    ],
  })
  const client = await dial(gateway.port)
  const seen: unknown[] = []
  const answered: unknown[] = []
  for (let round = 0; round < 12; round++) {
    const isHead = round % 4 === 3
    client.send(`${isHead ? 'HEAD' : 'GET'} /${round} HTTP/1.1\r\nHost: a.test\r\n${LINES}\r\n`)
    const { status, fields, body } = await client.message({ bodyless: isHead })
    const { 'x-request-id': id, 'content-length': length, 'server-timing': _, ...rest } = fields
    expect([status, id === 'theirs', length]).toEqual([200, false, isHead ? '5' : String(body.length)])
    answered.push(rest)
    if (!isHead) seen.push({ ...JSON.parse(body), 'x-request-id': '' })
  }
  expect(seen).toEqual(seen.map(() => seen[0]))
  expect(answered).toEqual(answered.map(() => answered[0]))
  expect(seen[0]).toMatchObject({ 'x-org': 'acme', 'x-trace': 'one', 'x-more': 'm', 'x-upstream-key': 'ours' })
  expect(seen[0]).not.toHaveProperty('x-hop')
  expect(JSON.stringify(seen[0])).not.toMatch(/admin|192\.0\.2\.9/)
  expect(answered[0]).toMatchObject({ 'x-new': 'o', 'x-many': '3', 'x-more': 'm', server: 's' })
  expect(answered[0]).not.toHaveProperty('x-secret')
})

test('a token for a preview that is sent twice in one request is seen in each that repeats it', async () => {
  const gateway = await testGateway()
  const wire = await dial(gateway.port)
  for (let round = 0; round < 5; round++) {
    const { fields } = await wire.get('/', 'X-Headgate-Preview: one\r\nX-Headgate-Preview: two\r\n')
    expect([round, fields['cache-control']]).toEqual([round, 'private, no-store'])
    expect(gateway.seen.at(-1)?.headers).not.toHaveProperty('x-headgate-preview')
  }
})

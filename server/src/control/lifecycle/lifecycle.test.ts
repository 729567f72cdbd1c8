import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { describeOnEveryStore } from '../../../test/database.ts'
import { listenLocally } from '../../../test/local-server.ts'
import { publishedGateway } from '../../../test/published-gateway.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { addCalls, toDayStart } from '../callers/caller-store.ts'

const BOOKS = '/workspaces/default/apis/books'
const DAY_MS = 86_400_000
const NOW_MS = Date.parse('2026-06-01T12:00:00Z')

const document = {
  openapi: '3.1.0',
  info: { title: 'Books', version: '1' },
  paths: {
    '/books': {
      get: {
        operationId: 'list',
        responses: { 200: { description: 'ok', content: { 'application/json': { example: [{ title: 'Emma' }] } } } },
      },
    },
  },
}

/** A clock that the test moves. */
function movableClock() {
  let nowMs = NOW_MS
  return {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    moveDays(days: number) {
      nowMs += days * DAY_MS
    },
  }
}

/** An API with the version 1, which is a draft with a document. */
async function withBooks(database?: Parameters<typeof testControl>[0]) {
  const clock = movableClock()
  const control = await testControl({ ...database, clock })
  const port = await listenLocally(createServer((_request, response) => response.end('from the upstream')))
  await control.done('POST', '/workspaces/default/apis', { name: 'books' })
  await control.done('POST', '/workspaces/default/upstreams', {
    name: 'shop',
    targets: [{ url: `http://127.0.0.1:${port}` }],
  })
  const settings = { name: '1', basePath: '/v1', upstream: 'shop' }
  await control.done('POST', `${BOOKS}/versions`, { settings, document })
  return { ...control, clock }
}

async function deploy({ done }: TestControl, version = '1'): Promise<void> {
  await done('POST', `${BOOKS}/versions/${version}/revisions`)
  await done('POST', '/workspaces/default/deployments', { api: 'books', version })
}

function move({ call }: TestControl, body: object, version = '1') {
  return call('POST', `${BOOKS}/versions/${version}/transitions`, { body })
}

async function stateOf({ done }: TestControl): Promise<unknown> {
  return (await done('GET', `${BOOKS}/lifecycle`))['state']
}

describeOnEveryStore('the life of a version', (store) => {
  test('leads from design over mock to published, and what is live follows at once', async () => {
    const control = await withBooks({ database: await store.open() })
    expect(await stateOf(control)).toBe('design')
    expect((await move(control, { to: 'mock' })).body).toMatchObject({ state: 'mock', shows: 'live' })
    await deploy(control)
    const mocking = await publishedGateway(control)
    const mocked = await mocking.inject('GET /v1/books')
    expect([mocked.status, JSON.parse(mocked.body)]).toEqual([200, [{ title: 'Emma' }]])
    expect((await mocking.inject('GET /v1/books', { headers: { prefer: 'code=200, example=x' } })).status).toBe(200)
    await control.done('POST', `${BOOKS}/versions/1/transitions`, { to: 'published' })
    const serving = await publishedGateway(control)
    expect(await serving.inject('GET /v1/books')).toMatchObject({ status: 200, body: 'from the upstream' })
    expect(await stateOf(control)).toBe('published')
  })

  test('a version that is deployed without further words is published', async () => {
    const control = await withBooks({ database: await store.open() })
    await deploy(control)
    expect(await stateOf(control)).toBe('published')
  })

  test('a deprecated version says since when, until when, why and what comes next, with every answer', async () => {
    const control = await withBooks({ database: await store.open() })
    await control.done('POST', `${BOOKS}/versions`, {
      settings: { name: '2', basePath: '/v2', upstream: 'shop' },
      document,
    })
    await deploy(control)
    const announced = {
      to: 'deprecated',
      sunsetAt: '2026-12-01T00:00:00Z',
      link: 'https://developer.example.com/v2',
      successor: '2',
    }
    expect((await move(control, announced)).body).toMatchObject({
      state: 'deprecated',
      deprecatedAt: '2026-06-01T12:00:00.000Z',
      successor: '/v2',
    })
    const gateway = await publishedGateway(control)
    const { headers, status } = await gateway.inject('GET /v1/books')
    expect([status, headers['deprecation'], headers['sunset']]).toEqual([
      200,
      `@${NOW_MS / 1000}`,
      'Tue, 01 Dec 2026 00:00:00 GMT',
    ])
    expect(headers['link']).toContain('</v2>; rel="successor-version"')
    expect(headers['link']).toContain('<https://developer.example.com/v2>; rel="deprecation"')
  })

  test('is not ended before the sunset that callers were told, nor while they call', async () => {
    const control = await withBooks({ database: await store.open() })
    await deploy(control)
    await move(control, { to: 'deprecated', successor: 'https://api.example.com/v2' })
    expect((await move(control, { to: 'retired' })).body['code']).toBe('lifecycle.too_early')
    await move(control, { to: 'deprecated', sunsetAt: '2026-06-11T00:00:00Z' })
    expect((await move(control, { to: 'retired' })).body['code']).toBe('lifecycle.too_early')
    control.clock.moveDays(10)
    const nowMs = control.clock.now()
    const { id } = await control.done('GET', `${BOOKS}/versions/1`)
    if (typeof id !== 'string') throw new TypeError('a version has an id')
    const call = {
      environment: 'production',
      dayStartMs: toDayStart(nowMs),
      consumer: 'acme',
      count: 3,
      lastSeenMs: nowMs,
    }
    await control.database.write((db) => addCalls(db, { versionId: id, ...call }))
    const refused = await move(control, { to: 'retired' })
    expect([refused.status, refused.body['code'], refused.body['detail']]).toEqual([
      409,
      'lifecycle.still_called',
      'In the last 7 days it was called by acme.',
    ])
    control.clock.moveDays(7)
    expect((await move(control, { to: 'retired' })).status).toBe(200)
    const gateway = await publishedGateway(control)
    const gone = await gateway.inject('GET /v1/books')
    expect([gone.status, JSON.parse(gone.body)]).toMatchObject([
      410,
      { code: 'deprecation.retired', detail: 'Its successor is https://api.example.com/v2.' },
    ])
  })

  test('can be ended by force, for a reason that the audit keeps, and comes back', async () => {
    const control = await withBooks({ database: await store.open() })
    await deploy(control)
    expect((await move(control, { to: 'retired' })).body['code']).toBe('lifecycle.no_such_step')
    expect((await move(control, { to: 'retired', force: true })).status).toBe(422)
    expect((await move(control, { to: 'retired', force: true, reason: 'it leaks' })).status).toBe(200)
    expect((await (await publishedGateway(control)).inject('GET /v1/books')).status).toBe(410)
    const { items } = await control.done('GET', '/workspaces/default/audit')
    expect(JSON.stringify(items)).toContain('it leaks')
    await control.done('POST', `${BOOKS}/versions/1/transitions`, { to: 'published' })
    expect((await (await publishedGateway(control)).inject('GET /v1/books')).status).toBe(200)
  })
})

test('a state that asks for more than there is refuses with what is missing', async () => {
  const control = await withBooks()
  expect((await move(control, { to: 'published' })).body).toMatchObject({
    code: 'lifecycle.not_ready',
    detail: 'It has no revision. Publish its draft first.',
  })
  expect((await move(control, { to: 'deprecated' })).body['code']).toBe('lifecycle.no_such_step')
  const byHand = { name: '3', basePath: '/v3', upstream: 'shop', routes: [{ name: 'all', match: { path: '/*' } }] }
  await control.done('POST', `${BOOKS}/versions`, { settings: byHand })
  expect((await move(control, { to: 'mock' }, '3')).body['code']).toBe('lifecycle.not_ready')
  await move(control, { to: 'mock' })
  await deploy(control)
  expect((await move(control, { to: 'design' })).body['code']).toBe('lifecycle.not_ready')
})

test.each([
  [{ to: 'published', sunsetAt: '2026-12-01T00:00:00Z' }, '/to'],
  [{ to: 'published', force: true, reason: 'x' }, '/force'],
  [{ to: 'deprecated', successor: 'nothing' }, '/successor'],
  [{ to: 'deprecated', successor: '1' }, '/successor'],
  [{ to: 'deprecated', deprecatedAt: '2026-12-02T00:00:00Z', sunsetAt: '2026-12-01T00:00:00Z' }, '/sunsetAt'],
])('%j is refused at %s', async (body, pointer) => {
  const control = await withBooks()
  await deploy(control)
  const { status, body: answer } = await move(control, body)
  expect([status, answer['errors']]).toMatchObject([422, [{ pointer }]])
})

test('a rehearsal changes nothing', async () => {
  const control = await withBooks()
  await deploy(control)
  await control.done('POST', `${BOOKS}/versions/1/transitions?dryRun=true`, { to: 'deprecated' })
  expect(await stateOf(control)).toBe('published')
})

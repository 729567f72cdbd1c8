import { createHmac, randomBytes } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { describeOnEveryStore, type TestStore } from '../../../test/database.ts'
import { listenLocally } from '../../../test/local-server.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import { settleDelivery } from './delivery-store.ts'
import { createWebhookWorker, type WebhookWorker } from './webhook-worker.ts'

const webhooks = '/workspaces/default/webhooks'
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const HOUR_MS = 3_600_000

interface Received {
  readonly headers: IncomingHttpHeaders
  readonly path: string
  readonly body: string
  readonly event: JsonObject
}

interface Place extends TestControl {
  readonly url: string
  readonly received: Received[]
  /** What the receiver answers with, once each; then 204. */
  readonly answers: number[]
  readonly worker: WebhookWorker
  /** Another process on the same store. */
  readonly startWorker: () => WebhookWorker
  readonly pass: (ms: number) => void
  /** Takes up what has happened, and sends what is due. */
  readonly work: () => Promise<void>
  readonly deliveries: () => Promise<JsonObject[]>
}

async function place(store: TestStore, allowPrivateAddresses = true): Promise<Place> {
  let skippedMs = 0
  const clock = { now: () => Date.now() + skippedMs, monotonicMs: () => performance.now() + skippedMs }
  const control = await testControl({ database: await store.open(), clock, allowPrivateAddresses })
  const received: Received[] = []
  const answers: number[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const event: unknown = JSON.parse(body)
      received.push({
        headers: request.headers,
        path: request.url ?? '',
        body,
        event: isJsonObject(event) ? event : {},
      })
      response.writeHead(answers.shift() ?? 204).end()
    })
  })
  const startWorker = (): WebhookWorker => {
    const worker = createWebhookWorker(control.control, randomBytes(8).toString('hex'))
    onTestFinished(() => worker.close())
    return worker
  }
  const worker = startWorker()
  const work = async (): Promise<void> => {
    for (let round = 0; round < 3; round++) {
      await worker.tick()
      await worker.idle()
    }
  }
  const deliveries = async (): Promise<JsonObject[]> => {
    const { items } = await control.done('GET', `${webhooks}/ci/deliveries`)
    return Array.isArray(items) ? items.filter(isJsonObject) : []
  }
  const url = `http://127.0.0.1:${await listenLocally(server)}/hook`
  const pass = (ms: number): void => void (skippedMs += ms)
  return { ...control, url, received, answers, worker, startWorker, pass, work, deliveries }
}

function typesOf(received: readonly Received[]): unknown[] {
  return received.map(({ event }) => event['type'])
}

describeOnEveryStore('webhooks', (store) => {
  test('are told of what they ask for, signed so that the receiver can check it', async () => {
    const { done, url, received, work } = await place(store)
    await done('POST', webhooks, { name: 'ci', url, secret, events: ['api.*', 'upstream.created'] })
    await done('POST', '/workspaces/default/apis', { name: 'books' })
    await done('PATCH', '/workspaces/default/apis/books', { team: 'shop' }, { 'if-match': '*' })
    await done('POST', '/workspaces/default/upstreams', { name: 'shop', targets: [{ url: 'http://127.0.0.1:1' }] })
    await done('DELETE', '/workspaces/default/upstreams/shop', undefined, { 'if-match': '*' })
    await work()
    expect(new Set(typesOf(received))).toEqual(new Set(['api.created', 'api.changed', 'upstream.created']))
    for (const { headers, body, event } of received) {
      const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
      const signature = createHmac('sha256', Buffer.alloc(32, 7)).update(signed).digest('base64')
      expect(headers['webhook-signature']).toBe(`v1,${signature}`)
      expect(event['data']).toMatchObject({ workspace: 'default', actor: 'bootstrap' })
    }
  })

  test('keep their secret to themselves', async () => {
    const { call, done, url, database } = await place(store)
    const { body } = await call('POST', webhooks, { body: { name: 'ci', url, secret, previousSecret: secret } })
    const rows = await database.read.selectFrom('resources').select('spec').execute()
    expect(JSON.stringify([body, await done('GET', webhooks), await done('GET', '/audit'), rows])).not.toContain(
      'whsec_',
    )
  })

  test('tell no secret of the workspace by their address', async () => {
    const { call, done, url, received, work, database } = await place(store)
    await done('POST', '/workspaces/default/secrets', { name: 'shop-token', value: 'hidden-value-of-it' })
    const evil = `${url}?k=\${secret:shop-token}`
    const refused = await call('POST', webhooks, { body: { name: 'ci', url: evil, secret } })
    expect([refused.status, refused.body['errors']]).toMatchObject([422, [{ pointer: '/url' }]])
    await done('POST', webhooks, { name: 'ci', url, secret, events: ['webhook.created'] })
    const change = await call('PATCH', `${webhooks}/ci`, { body: { url: evil }, headers: { 'if-match': '*' } })
    expect(change.status).toBe(422)
    // However it came to be there.
    const { id, spec } = await database.read
      .selectFrom('resources')
      .select(['id', 'spec'])
      .where('kind', '=', 'webhook')
      .executeTakeFirstOrThrow()
    const changes = { spec: spec.replace(url, evil) }
    await database.write((db) => db.updateTable('resources').set(changes).where('id', '=', id).execute())
    await work()
    expect(received.map(({ path }) => path)).toEqual([expect.stringContaining('?k=')])
    expect(JSON.stringify(received)).not.toContain('hidden-value-of-it')
  })

  test('take their own secret from one of the workspace', async () => {
    const { done, url, received, work } = await place(store)
    await done('POST', '/workspaces/default/secrets', { name: 'signing', value: secret })
    await done('POST', webhooks, { name: 'ci', url, secret: '${secret:signing}', events: ['webhook.created'] })
    await work()
    expect(received).toHaveLength(1)
  })

  test('whose secret is gone say so, and what else keeps them from being signed is told apart from that', async () => {
    const { done, url, received, work, pass, deliveries, database } = await place(store)
    await done('POST', '/workspaces/default/secrets', { name: 'signing', value: secret })
    await done('POST', webhooks, { name: 'ci', url, secret: '${secret:signing}', events: ['webhook.created'] })
    const spec = JSON.stringify({ sealed: 'key_that_never_was.damaged' })
    await database.write((db) => db.updateTable('resources').set({ spec }).where('name', '=', 'signing').execute())
    await work()
    expect(await deliveries()).toMatchObject([
      { state: 'pending', detail: expect.stringContaining('fault of Headgate') },
    ])
    await database.write((db) => db.deleteFrom('resources').where('name', '=', 'signing').execute())
    pass(10_000)
    await work()
    expect(await deliveries()).toMatchObject([{ detail: 'The webhook has no secret that can sign.' }])
    expect(received).toEqual([])
  })

  test('whose receivers are slow leave room for those of other workspaces', async () => {
    const { done, url, received, worker } = await place(store)
    const silent = `http://127.0.0.1:${await listenLocally(createServer(() => undefined))}/hook`
    await done('POST', '/workspaces', { name: 'red' })
    for (let index = 0; index < 9; index++) {
      const hook = { name: `slow-${index}`, url: silent, secret, events: ['api.created'] }
      await done('POST', '/workspaces/red/webhooks', hook)
    }
    for (let index = 0; index < 4; index++) await done('POST', '/workspaces/red/apis', { name: `api-${index}` })
    await done('POST', webhooks, { name: 'ci', url, secret, events: ['api.created'] })
    await done('POST', '/workspaces/default/apis', { name: 'books' })
    await worker.tick()
    await expect.poll(() => typesOf(received)).toEqual(['api.created'])
  })

  test('of which one cannot be read keep the others from nothing', async () => {
    const { done, url, received, worker, database } = await place(store)
    for (const name of ['broken', 'ci', 'broken-too']) {
      await done('POST', webhooks, { name, url, secret, events: ['api.created'] })
    }
    await done('POST', '/workspaces/default/apis', { name: 'books' })
    await database.write((db) =>
      db.updateTable('resources').set({ spec: 'no JSON' }).where('name', 'like', 'broken%').execute(),
    )
    await expect(worker.tick()).rejects.toThrow('not told')
    await worker.idle()
    expect(typesOf(received)).toEqual(['api.created'])
  })

  test('hear what a document made new, changed and took away by the same names as of what people did', async () => {
    const { done, url, received, work } = await place(store)
    const events = ['consumer.*', 'credential.*', 'subscription.*', 'workspace.*']
    await done('POST', webhooks, { name: 'ci', url, secret, events })
    const route = { name: 'all', match: { path: '/*' }, policies: [{ kind: 'respond', config: { body: 'x' } }] }
    const apis = [{ name: 'books', routes: [route] }]
    const products = [{ name: 'shop', apis: ['books'], plans: [{ name: 'free' }, { name: 'paid' }] }]
    const apply = async (consumer: JsonObject, policies: JsonObject[] = []): Promise<Set<unknown>> => {
      const document = { headgate: 1, policies, apis, products, consumers: [{ name: 'acme', ...consumer }] }
      received.length = 0
      await done('POST', '/workspaces/default/apply', { document })
      await work()
      return new Set(typesOf(received))
    }
    const key = (value: string) => ({ name: 'main', value })
    const plan = (name: string) => ({ product: 'shop', plan: name })
    expect(await apply({ keys: [key('one')], subscriptions: [plan('free')] })).toEqual(
      new Set(['consumer.created', 'credential.created', 'subscription.created']),
    )
    const request = { kind: 'request-size', config: { maxBodyBytes: 1_000 } }
    expect(await apply({ keys: [key('two')], subscriptions: [plan('paid')] }, [request])).toEqual(
      new Set(['credential.changed', 'subscription.changed', 'workspace.changed']),
    )
    expect(await apply({}, [request])).toEqual(new Set(['credential.removed', 'subscription.removed']))
  })

  test('hear of another workspace nothing', async () => {
    const { done, url, received, work } = await place(store)
    await done('POST', '/workspaces', { name: 'red' })
    await done('POST', '/workspaces/red/webhooks', { name: 'ci', url, secret, events: ['api.*'] })
    await done('POST', '/workspaces/default/apis', { name: 'books' })
    await done('POST', '/workspaces/red/apis', { name: 'own' })
    await work()
    expect(received.map(({ event }) => event['data'])).toMatchObject([{ workspace: 'red', name: 'own' }])
  })

  test('that fail are tried again later under the same id, until they are received', async () => {
    const { done, url, received, answers, work, pass, deliveries } = await place(store)
    answers.push(500, 503)
    await done('POST', webhooks, { name: 'ci', url, secret, events: ['webhook.created'] })
    await work()
    expect(received).toHaveLength(1)
    expect(await deliveries()).toMatchObject([{ state: 'pending', attempts: 1, status: 500 }])
    pass(10_000)
    await work()
    expect(received).toHaveLength(2)
    pass(60_000)
    await work()
    expect(await deliveries()).toMatchObject([{ state: 'delivered', attempts: 3, status: 204, detail: '' }])
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  })

  test('go on after the process that sent them died, and are sent by one process alone', async () => {
    const { done, url, received, startWorker, worker, pass } = await place(store)
    await done('POST', webhooks, { name: 'ci', url, secret, events: ['api.created'] })
    await worker.tick()
    const other = startWorker()
    await done('POST', '/workspaces/default/apis', { name: 'books' })
    await other.tick()
    await other.idle()
    expect(received).toEqual([])
    // The first one does nothing any more, and its lease ends.
    pass(60_000)
    await other.tick()
    await other.idle()
    expect(typesOf(received)).toEqual(['api.created'])
  })

  test('that nobody receives for days are switched off, and on again by a change', async () => {
    const { done, url, received, answers, work, pass } = await place(store)
    answers.push(...Array<number>(2_000).fill(500))
    await done('POST', webhooks, { name: 'ci', url, secret, events: ['webhook.created', 'api.created'] })
    for (let hours = 0; hours < 90; hours += 6) {
      await done('POST', '/workspaces/default/apis', { name: `api-${hours}` })
      await work()
      pass(6 * HOUR_MS)
    }
    expect((await done('GET', `${webhooks}/ci/deliveries`))['webhook']).toMatchObject({ state: 'disabled' })
    const before = received.length
    await work()
    expect(received).toHaveLength(before)
    answers.length = 0
    await done('PATCH', `${webhooks}/ci`, { labels: { mended: 'yes' } }, { 'if-match': '*' })
    pass(48 * HOUR_MS)
    for (let round = 0; round < 10; round++) await work()
    expect((await done('GET', `${webhooks}/ci/deliveries`))['webhook']).toEqual({ state: 'active' })
    expect((await done('GET', `${webhooks}/ci/deliveries?state=pending`))['items']).toEqual([])
  })

  test('that a receiver ended stay off, whatever becomes of what was under way with it', async () => {
    const { done, url, received, work, database } = await place(store)
    await done('POST', webhooks, { name: 'ci', url, secret, events: ['webhook.created', 'api.created'] })
    await work()
    const delivery = await database.read.selectFrom('webhook_deliveries').selectAll().executeTakeFirstOrThrow()
    for (const outcome of [
      { status: 410, detail: 'gone' },
      { status: 500, detail: 'failed' },
      { status: 204, detail: '' },
    ]) {
      await database.write((db) => settleDelivery(db, delivery, outcome, Date.now()))
    }
    await done('POST', '/workspaces/default/apis', { name: 'books' })
    await work()
    expect(typesOf(received)).toEqual(['webhook.created'])
  })

  test('that were received can be sent again', async () => {
    const { done, url, received, work, deliveries } = await place(store)
    await done('POST', webhooks, { name: 'ci', url, secret, events: ['webhook.created'] })
    await work()
    const [first] = await deliveries()
    await done('POST', `${webhooks}/ci/deliveries/${typeof first?.['id'] === 'string' ? first['id'] : ''}/redeliver`)
    await work()
    expect(received).toHaveLength(2)
    expect(new Set(received.map(({ headers, body }) => `${String(headers['webhook-id'])} ${body}`)).size).toBe(1)
  })

  test('never go to an address that is not public unless that is allowed', async () => {
    const { call, done, url, received, work, deliveries } = await place(store, false)
    const refused = await call('POST', webhooks, { body: { name: 'x', url, secret } })
    expect([refused.status, refused.body['errors']]).toMatchObject([422, [{ pointer: '/url' }]])
    const named = url.replace('127.0.0.1', 'ip6-localhost.localhost')
    await done('POST', webhooks, { name: 'ci', url: named, secret, events: ['webhook.created'] })
    await work()
    expect(received).toEqual([])
    expect(await deliveries()).toMatchObject([{ state: 'pending', detail: expect.stringMatching(/public|be sent/) }])
  })

  test('hold back while they are not enabled, and lose nothing by that', async () => {
    const { done, url, received, work } = await place(store)
    await done('POST', webhooks, { name: 'ci', url, secret, events: ['api.created'], enabled: false })
    for (let index = 0; index < 5; index++) await done('POST', '/workspaces/default/apis', { name: `api-${index}` })
    await work()
    expect(received).toEqual([])
    await done('PATCH', `${webhooks}/ci`, { enabled: true }, { 'if-match': '*' })
    for (let round = 0; round < 3; round++) await work()
    expect(received).toHaveLength(5)
  })
})

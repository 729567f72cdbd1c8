import { hash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Database } from '../../db/client.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { verifyAudit } from '../audit/verify-audit.ts'

/** More than are read together, and several times as many as are inserted together. */
const MANY = 1_010

const product = { name: 'basic', apis: ['books'], plans: [{ name: 'free' }, { name: 'paid' }] }
const books = {
  name: 'books',
  version: '1.0.0',
  basePath: '/books',
  upstream: 'shop',
  routes: [{ name: 'list', match: { path: '/all' } }],
}

function nameAt(index: number): string {
  return `consumer-${String(index).padStart(4, '0')}`
}

function toConsumer(index: number, key = index): JsonObject {
  return {
    name: nameAt(index),
    keys: [{ hash: hash('sha256', `key ${key}`) }],
    ...(index % 2 === 0 ? { subscriptions: [{ product: 'basic', plan: 'free' }] } : {}),
  }
}

function toDocument(consumers: readonly JsonObject[]): JsonObject {
  return {
    headgate: 1,
    upstreams: [{ name: 'shop', targets: [{ url: 'http://127.0.0.1:9001' }] }],
    apis: [books],
    products: [product],
    consumers: [...consumers],
  }
}

const many = Array.from({ length: MANY }, (_, index) => toConsumer(index))
const names = many.map((_, index) => nameAt(index))

async function applying(control: TestControl, consumers: readonly JsonObject[], source = 'ci'): Promise<string[]> {
  const { outcomes } = await control.done('POST', '/workspaces/default/apply', {
    document: toDocument(consumers),
    source,
  })
  return (outcomes as { kind: string; name: string; action: string }[])
    .filter(({ kind }) => ['consumer', 'credential', 'subscription'].includes(kind))
    .map(({ kind, name, action }) => `${action} ${kind} ${name}`)
}

/** Counts the statements of writes. */
function counting(database: Database): { readonly database: Database; readonly counted: { statements: number } } {
  const counted = { statements: 0 }
  const write: Database['write'] = (work) =>
    database.write((transaction) =>
      work(
        transaction.withPlugin({
          transformQuery({ node }) {
            counted.statements++
            return node
          },
          transformResult: ({ result }) => Promise.resolve(result),
        }),
      ),
    )
  return { database: { ...database, write }, counted }
}

function consumersLive({ control }: TestControl): number {
  const lines = [...(control.feed.treeOf('production')?.lines() ?? [])]
  return lines.filter(({ key }) => key.startsWith('consumers/')).length
}

describeOnEveryStore('a document of many consumers', (store) => {
  test('is applied in its order, without a statement for each, and every entry follows in the audit', async () => {
    const { database, counted } = counting(await store.open())
    const control = await testControl({ database })
    const wanted = names.flatMap((name, index) => [
      `created consumer ${name}`,
      `created credential ${name}/key-1`,
      ...(index % 2 === 0 ? [`created subscription ${name}/basic`] : []),
    ])
    expect(await applying(control, many)).toEqual(wanted)
    expect(counted.statements).toBeLessThan(MANY / 3)
    const entries = await database.read.selectFrom('audit').selectAll().where('action', '=', 'apply').execute()
    const notes = entries.filter(({ target_kind: kind }) => ['consumer', 'credential', 'subscription'].includes(kind))
    expect(notes).toHaveLength(wanted.length)
    expect(await verifyAudit(database.read)).toMatchObject({ whole: true })
    await expect.poll(() => consumersLive(control)).toBe(MANY)
    const last = control.control.feed.treeOf('production')?.get(`consumers/${nameAt(MANY - 2)}`)
    expect(last).toContain(hash('sha256', `key ${MANY - 2}`))
    expect(last).toContain('"plan":"free"')
  })

  test('is unchanged when it is applied once more, and goes as it came', async () => {
    const { database, counted } = counting(await store.open())
    const control = await testControl({ database })
    await applying(control, many)
    counted.statements = 0
    expect(await applying(control, many)).toEqual(names.map((name) => `unchanged consumer ${name}`))
    expect(await applying(control, [])).toEqual(names.map((name) => `removed consumer ${name}`))
    expect(counted.statements).toBeLessThan(MANY / 3)
    await expect.poll(() => consumersLive(control)).toBe(0)
    expect(await database.read.selectFrom('credentials').selectAll().execute()).toEqual([])
  })

  test('leaves nothing behind when its last one cannot be applied', async () => {
    const control = await testControl({ database: await store.open() })
    await control.done('POST', '/workspaces/default/consumers', { name: 'somebody-else' })
    const stranger = '/workspaces/default/consumers/somebody-else/credentials'
    await control.done('POST', stranger, { name: 'taken', hash: hash('sha256', `key ${MANY - 1}`) })
    const { status, body } = await control.call('POST', '/workspaces/default/apply', {
      body: { document: toDocument(many) },
    })
    expect([status, body['detail']]).toEqual([409, expect.stringContaining('consumer-1009/key-1 belongs to another')])
    const rows = await control.database.read.selectFrom('resources').select('name').execute()
    expect(rows.map(({ name }) => name)).toEqual(['somebody-else'])
  })
})

describeOnEveryStore('a key that goes from one consumer to another in one document', (store) => {
  test('does so where the document has the one first that gives it away', async () => {
    const control = await testControl({ database: await store.open() })
    await applying(control, [toConsumer(1), toConsumer(3)])
    expect(await applying(control, [toConsumer(1, 7), toConsumer(3, 1)])).toEqual([
      'unchanged consumer consumer-0001',
      'changed credential consumer-0001/key-1',
      'unchanged consumer consumer-0003',
      'changed credential consumer-0003/key-1',
    ])
    expect(await applying(control, [{ name: 'consumer-0001' }, toConsumer(3, 7)])).toEqual([
      'unchanged consumer consumer-0001',
      'removed credential consumer-0001/key-1',
      'unchanged consumer consumer-0003',
      'changed credential consumer-0003/key-1',
    ])
    const line = (): string | undefined => control.control.feed.treeOf('production')?.get('consumers/consumer-0003')
    await expect.poll(line).toContain(hash('sha256', 'key 7'))
  })

  test('is refused where the other one comes first', async () => {
    const control = await testControl({ database: await store.open() })
    await applying(control, [toConsumer(1), toConsumer(3)])
    const document = toDocument([toConsumer(1, 3), toConsumer(3, 7)])
    const { status } = await control.call('POST', '/workspaces/default/apply', { body: { document, source: 'ci' } })
    expect(status).toBe(409)
  })
})

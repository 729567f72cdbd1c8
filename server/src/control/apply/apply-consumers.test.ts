import { hash } from 'node:crypto'
import { expect, test } from 'vitest'
import { applyDocument } from '../../../test/apply-document.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { textOf } from '../../../test/control-people.ts'
import { describeOnEveryStore, type TestStore } from '../../../test/database.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

const AT = '/workspaces/default'
const KEYS = `${AT}/consumers/acme/credentials`
const HERE = '?environment=production'

const product = { name: 'shop', apis: ['books'], plans: [{ name: 'free' }, { name: 'gold' }] }

async function openShop(store: TestStore): Promise<TestControl> {
  const control = await testControl({ database: await store.open() })
  await control.done('POST', `${AT}/products`, product)
  return control
}

/** What was told of keys and subscriptions, in short. */
async function apply(control: TestControl, consumer: JsonObject): Promise<string[]> {
  const outcomes = await applyDocument(control, { consumers: [{ name: 'acme', ...consumer }] })
  return outcomes
    .filter(({ kind }) => kind === 'credential' || kind === 'subscription')
    .map(({ name, action, reason }) => [name, action, ...(reason === undefined ? [] : [reason])].map(textOf).join(' '))
}

async function shownKeys({ done }: TestControl): Promise<unknown> {
  return (await done('GET', KEYS + HERE))['items']
}

/** The keys that the gateways take from acme. */
async function published({ database }: TestControl): Promise<unknown> {
  const { line } = await database.read
    .selectFrom('snapshot_lines')
    .select('line')
    .where('environment', '=', 'production')
    .where('key', '=', 'consumers/acme')
    .executeTakeFirstOrThrow()
  return Reflect.get(Object(JSON.parse(line)), 'keys')
}

const key = (value: string, more: JsonObject = {}) => ({ keys: [{ name: 'main', value, ...more }] })

/** A shop in which a document gave acme a key, and somebody revoked it. */
async function openWithRevoked(store: TestStore): Promise<TestControl> {
  const control = await openShop(store)
  await apply(control, key('leaked'))
  await control.done('POST', `${KEYS}/main/revoke${HERE}`)
  return control
}

describeOnEveryStore('a key that was revoked', (store) => {
  test('stays so when the document that names it is applied again, which says that', async () => {
    const control = await openWithRevoked(store)
    expect(await apply(control, key('leaked'))).toEqual([expect.stringMatching(/^acme\/main unchanged was revoked/)])
    expect(await shownKeys(control)).toEqual([expect.objectContaining({ name: 'main', state: 'revoked' })])
    expect(await published(control)).toEqual([])
  })

  test('stays so when the document leaves it out in between', async () => {
    const control = await openWithRevoked(store)
    await apply(control, {})
    await apply(control, key('leaked'))
    expect(await published(control)).toEqual([])
  })

  test('stays so when the document leaves the whole consumer out in between, and nobody gives it to another', async () => {
    const control = await openWithRevoked(store)
    await control.done('POST', `${AT}/apply`, { document: { headgate: 1 }, source: 'ci' })
    expect(await apply(control, key('leaked'))).toEqual([expect.stringMatching(/^acme\/main unchanged was revoked/)])
    expect(await published(control)).toEqual([])
    const body = { name: 'other', hash: hash('sha256', 'leaked') }
    expect(await control.call('POST', KEYS + HERE, { body })).toMatchObject({ status: 409 })
  })

  test('gives its name to another key, and stays revoked when the document goes back to it', async () => {
    const control = await openWithRevoked(store)
    expect(await apply(control, key('fresh'))).toEqual(['acme/main created'])
    expect(await published(control)).toEqual([expect.objectContaining({ name: 'main' })])
    expect(await apply(control, key('leaked'))).toEqual([
      expect.stringContaining('was revoked and stays so'),
      'acme/main removed',
    ])
    expect(await published(control)).toEqual([])
  })
})

describeOnEveryStore('keys of a document', (store) => {
  const keysOf = (...values: string[]) => ({ keys: values.map((value) => ({ value })) })
  const toHash = (value: string) => ({ hash: hash('sha256', value) })

  test.each([
    ['the first goes', ['two', 'three']],
    ['one comes before them', ['zero', 'one', 'two', 'three']],
    ['they change places', ['three', 'one', 'two']],
    ['they change places and one goes', ['two', 'one']],
  ])('need no names: %s', async (_, values) => {
    const control = await openShop(store)
    await apply(control, keysOf('one', 'two', 'three'))
    await apply(control, keysOf(...values))
    expect(await published(control)).toMatchObject(values.map(toHash))
    expect(await apply(control, keysOf(...values))).toEqual([])
  })

  test('take no key of the consumer that somebody else made', async () => {
    const control = await openShop(store)
    await apply(control, keysOf('one'))
    await control.done('POST', KEYS + HERE, { name: 'theirs', ...toHash('two') })
    const document = { headgate: 1, consumers: [{ name: 'acme', ...keysOf('one', 'two') }] }
    expect(await control.call('POST', `${AT}/apply`, { body: { document, source: 'ci' } })).toMatchObject({
      status: 409,
    })
  })
})

describeOnEveryStore('the end of a key', (store) => {
  test('that a rotation put forward stays where it is', async () => {
    const control = await openShop(store)
    await apply(control, key('old'))
    await control.done('POST', KEYS + HERE, { name: 'next', expireOthersAfterSeconds: 3600 })
    const before = await shownKeys(control)
    const ending = expect.objectContaining({ name: 'main', expiresAt: expect.any(String) })
    expect(before).toEqual([ending, expect.objectContaining({ name: 'next' })])
    expect(await apply(control, key('old'))).toEqual([expect.stringMatching(/^acme\/main unchanged ends at/)])
    await apply(control, key('old', { expiresAt: '2999-01-01T00:00:00.000Z' }))
    expect(await shownKeys(control)).toEqual(before)
  })

  test.each([
    ['the key', { consumers: [{ name: 'acme' }] }],
    ['the whole consumer', {}],
  ])('that a rotation put forward stays when the document leaves out %s in between', async (_, without) => {
    const control = await openShop(store)
    await apply(control, key('old'))
    await control.done('POST', KEYS + HERE, { name: 'next', expireOthersAfterSeconds: 0 })
    await control.done('POST', `${AT}/apply`, { document: { headgate: 1, ...without }, source: 'ci' })
    expect(await apply(control, key('old'))).toEqual([expect.stringMatching(/^acme\/main created ends at/)])
    expect(await shownKeys(control)).toContainEqual(expect.objectContaining({ name: 'main', state: 'expired' }))
  })

  test('that a rotation put forward is over when somebody gives the key anew', async () => {
    const control = await openShop(store)
    await apply(control, key('old'))
    await control.done('POST', KEYS + HERE, { name: 'next', expireOthersAfterSeconds: 0 })
    await apply(control, { keys: [] })
    await control.done('POST', KEYS + HERE, { name: 'main', hash: hash('sha256', 'old') })
    expect(await apply(control, key('old'))).toEqual([])
    expect(await shownKeys(control)).toContainEqual(expect.objectContaining({ name: 'main', state: 'active' }))
  })

  test('comes earlier when the document says so', async () => {
    const control = await openShop(store)
    await apply(control, key('old'))
    const expiresAt = '2998-01-01T00:00:00.000Z'
    expect(await apply(control, key('old', { expiresAt }))).toEqual(['acme/main changed'])
    expect(await shownKeys(control)).toEqual([expect.objectContaining({ expiresAt })])
  })
})

describeOnEveryStore('a subscription that people ended', (store) => {
  const to = (plan: string) => ({ subscriptions: [{ product: 'shop', plan }] })

  async function end({ done }: TestControl, verb: string): Promise<void> {
    const { items } = await done('GET', `${AT}/subscriptions`)
    const [first] = Array.isArray(items) ? items : []
    await done('POST', `${AT}/subscriptions/${textOf(Reflect.get(Object(first), 'id'))}/${verb}`)
  }

  async function live({ done }: TestControl): Promise<unknown> {
    return (await done('GET', `${AT}/subscriptions?state=active`))['items']
  }

  test('stays so, also when the document leaves it out in between', async () => {
    const control = await openShop(store)
    await apply(control, to('free'))
    await end(control, 'cancel')
    expect(await apply(control, to('free'))).toEqual([expect.stringMatching(/^acme\/shop unchanged was cancelled/)])
    await apply(control, {})
    await apply(control, to('free'))
    expect(await live(control)).toEqual([])
  })

  test('begins again when somebody subscribes anew, or the document asks for another plan', async () => {
    const control = await openShop(store)
    await apply(control, to('free'))
    await end(control, 'cancel')
    expect(await apply(control, to('gold'))).toEqual(['acme/shop changed'])
    expect(await live(control)).toEqual([expect.objectContaining({ plan: 'gold' })])
    await end(control, 'cancel')
    const wish = { consumer: 'acme', environment: 'production', product: 'shop', plan: 'gold' }
    await control.done('POST', `${AT}/subscriptions`, wish)
    expect(await apply(control, to('gold'))).toEqual([])
  })

  test.each(['cancel', 'suspend'])(
    '%s of the consumer for all environments counts for one of its own',
    async (verb) => {
      const control = await openShop(store)
      await control.done('POST', `${AT}/consumers`, { name: 'acme' })
      await control.done('POST', `${AT}/subscriptions`, { consumer: 'acme', product: 'shop', plan: 'free' })
      await end(control, verb)
      await apply(control, { labels: { tier: 'one' }, ...to('free') })
      expect(await live(control)).toEqual([])
    },
  )

  test('stays rejected, whoever applies', async () => {
    const control = await testControl({ database: await store.open() })
    await control.done('POST', `${AT}/products`, { ...product, plans: [{ name: 'free', approval: true }] })
    await control.done('POST', `${AT}/consumers`, { name: 'acme' })
    await control.done('POST', `${AT}/subscriptions`, { consumer: 'acme', product: 'shop', plan: 'free' })
    await end(control, 'reject')
    expect(await apply(control, to('free'))).toEqual([expect.stringContaining('was rejected')])
    expect(await live(control)).toEqual([])
  })
})

import { expect, test } from 'vitest'
import { describeOnEveryStore, type TestStore } from '../../../test/database.ts'
import { createPerson } from '../../../test/control-people.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

const subscriptions = '/workspaces/default/subscriptions'

/** A consumer, and a product with a plan that is free and one that somebody approves. */
async function openShop(store: TestStore): Promise<TestControl> {
  const control = await testControl({ database: await store.open() })
  const { done } = control
  await done('POST', '/workspaces/default/consumers', { name: 'acme' })
  const plans = [{ name: 'free' }, { name: 'gold', approval: true }]
  await done('POST', '/workspaces/default/products', { name: 'shop', apis: ['books'], plans })
  return control
}

/** Subscribes acme, and returns the id. */
async function subscribe({ done }: TestControl, plan: string): Promise<string> {
  const { id } = await done('POST', subscriptions, { consumer: 'acme', product: 'shop', plan })
  return typeof id === 'string' ? id : ''
}

/** What the gateways of an environment know of the consumer's subscriptions. */
function published({ control }: TestControl): unknown {
  const line = control.feed.treeOf('production')?.get('consumers/acme') ?? '{}'
  return Reflect.get(Object(JSON.parse(line)), 'subscriptions')
}

describeOnEveryStore('subscriptions', (store) => {
  test('count at once under a plan without approval', async () => {
    const control = await openShop(store)
    const body = { consumer: 'acme', product: 'shop', plan: 'free' }
    const { status, body: created } = await control.call('POST', subscriptions, { body })
    expect([status, created['state']]).toEqual([201, 'active'])
    await expect.poll(() => published(control)).toEqual([{ product: 'shop', plan: 'free' }])
  })

  test('wait for approval where the plan wants that, and reach the gateways with it', async () => {
    const control = await openShop(store)
    const id = await subscribe(control, 'gold')
    expect(await control.done('GET', `${subscriptions}/${id}`)).toMatchObject({ state: 'pending', plan: 'gold' })
    await expect.poll(() => published(control)).toEqual([])
    expect(await control.done('POST', `${subscriptions}/${id}/approve`)).toMatchObject({ state: 'active' })
    await expect.poll(() => published(control)).toEqual([{ product: 'shop', plan: 'gold' }])
  })

  test('are approved by those who may, which making them is not enough for', async () => {
    const control = await openShop(store)
    const id = await subscribe(control, 'gold')
    const [developer, operator] = [
      await createPerson(control, 'api-developer'),
      await createPerson(control, 'operator'),
    ]
    const refused = await control.call('POST', `${subscriptions}/${id}/approve`, { token: developer.token })
    expect([refused.status, refused.body['detail']]).toEqual([403, 'This needs the permission subscriptions.approve.'])
    const approved = await control.call('POST', `${subscriptions}/${id}/approve`, { token: operator.token })
    expect(approved.body).toMatchObject({ state: 'active' })
  })

  test('of a file wait for approval too, unless who applies it may give that', async () => {
    const control = await openShop(store)
    const { token } = await createPerson(control, 'api-developer')
    const document = { headgate: 1, consumers: [{ name: 'acme', subscriptions: [{ product: 'shop', plan: 'gold' }] }] }
    const applyAs = async (options: object): Promise<unknown> => {
      const answer = await control.call('POST', '/workspaces/default/apply', { body: { document }, ...options })
      expect(answer.status, JSON.stringify(answer.body)).toBe(200)
      const { items } = await control.done('GET', subscriptions)
      return items
    }
    expect(await applyAs({ token })).toMatchObject([{ state: 'pending' }])
    expect(await applyAs({})).toMatchObject([{ state: 'active' }])
    expect(await applyAs({ token })).toMatchObject([{ state: 'active' }])
  })

  test('are taken from the gateways when suspended or cancelled, and come back when resumed', async () => {
    const control = await openShop(store)
    const id = await subscribe(control, 'free')
    const here = [{ product: 'shop', plan: 'free' }]
    for (const [verb, expected] of [
      ['suspend', []],
      ['resume', here],
      ['cancel', []],
    ] as const) {
      await control.done('POST', `${subscriptions}/${id}/${verb}`)
      await expect.poll(() => published(control)).toEqual(expected)
    }
  })

  test('go from one state to another only as they can', async () => {
    const control = await openShop(store)
    const id = await subscribe(control, 'gold')
    const act = async (verb: string) => {
      const { status, body } = await control.call('POST', `${subscriptions}/${id}/${verb}`)
      return status === 200 ? body['state'] : body['code']
    }
    const refused = 'subscription.wrong_state'
    expect([await act('suspend'), await act('resume'), await act('reject')]).toEqual([refused, refused, 'rejected'])
    expect([await act('approve'), await act('cancel')]).toEqual([refused, refused])
    expect(await subscribe(control, 'free')).toBe(id)
    expect([await act('approve'), await act('cancel')]).toEqual([refused, 'cancelled'])
  })

  test('are one for a consumer and a product, of things that exist', async () => {
    const { call, done } = await openShop(store)
    const send = (body: object) => call('POST', subscriptions, { body })
    const whole = { consumer: 'acme', product: 'shop', plan: 'free' }
    for (const key of ['consumer', 'product', 'plan']) {
      const { status, body } = await send({ ...whole, [key]: 'nothing' })
      expect([status, body['errors']]).toEqual([422, [expect.objectContaining({ pointer: `/${key}` })]])
    }
    await done('POST', subscriptions, whole)
    const second = await send({ ...whole, plan: 'gold' })
    expect([second.status, second.body['code']]).toEqual([409, 'admin.taken'])
    expect((await call('POST', `${subscriptions}/nothing/approve`)).status).toBe(404)
  })

  test('are listed page by page, by consumer, product and state', async () => {
    const control = await openShop(store)
    const { call, done } = control
    await done('POST', '/workspaces/default/consumers', { name: 'zenith' })
    await subscribe(control, 'gold')
    await done('POST', subscriptions, { consumer: 'zenith', product: 'shop', plan: 'free' })
    const listed = (query: string) => done('GET', `${subscriptions}?${query}`)
    const ofAcme = expect.objectContaining({ consumer: 'acme' })
    const ofZenith = expect.objectContaining({ consumer: 'zenith' })
    expect((await listed('consumer=acme'))['items']).toEqual([ofAcme])
    expect((await listed('state=active'))['items']).toEqual([ofZenith])
    expect((await listed('product=shop'))['items']).toHaveLength(2)
    expect((await listed('product=other'))['items']).toEqual([])
    const { items: first, next } = await listed('limit=1')
    const { items: second, ...last } = await listed(`limit=1&cursor=${typeof next === 'string' ? next : ''}`)
    expect([first, second].flat()).toEqual(expect.arrayContaining([ofAcme, ofZenith]))
    expect(last).toEqual({})
    expect((await call('GET', `${subscriptions}?cursor=x`)).status).toBe(422)
  })

  test('keep the plan of their product until they are over', async () => {
    const control = await openShop(store)
    const id = await subscribe(control, 'gold')
    const body = { name: 'shop', apis: ['books'], plans: [{ name: 'free' }] }
    const replace = () =>
      control.call('PUT', '/workspaces/default/products/shop', { body, headers: { 'if-match': '*' } })
    const refused = await replace()
    expect([refused.status, refused.body['code']]).toEqual([409, 'admin.in_use'])
    await control.done('POST', `${subscriptions}/${id}/reject`)
    expect((await replace()).status).toBe(200)
  })

  test('of a file stay suspended when it is applied again, and leave a plan with it', async () => {
    const control = await openShop(store)
    const apply = (plans: readonly string[], plan: string) => {
      const products = [{ name: 'shop', apis: ['books'], plans: plans.map((name) => ({ name })) }]
      const consumers = [{ name: 'acme', subscriptions: [{ product: 'shop', plan }] }]
      const apis = [
        { name: 'books', version: '1.0.0', upstream: 'shop', routes: [{ name: 'all', match: { path: '/*' } }] },
      ]
      const upstreams = [{ name: 'shop', targets: [{ url: 'http://127.0.0.1:9001' }] }]
      const document = { headgate: 1, upstreams, apis, products, consumers }
      return control.call('POST', '/workspaces/default/apply', { body: { document, files: {}, source: 'ci' } })
    }
    await control.done('POST', `${subscriptions}/${await subscribe(control, 'free')}/suspend`)
    expect((await apply(['free', 'gold'], 'free')).status).toBe(200)
    expect((await control.done('GET', `${subscriptions}?state=suspended`))['items']).toHaveLength(1)
    expect((await apply(['gold'], 'gold')).status).toBe(200)
    const { items } = await control.done('GET', subscriptions)
    expect(items).toEqual([expect.objectContaining({ plan: 'gold', state: 'suspended' })])
  })

  test('keep their product until they are over, and go with it then', async () => {
    const control = await openShop(store)
    const id = await subscribe(control, 'free')
    const remove = () => control.call('DELETE', '/workspaces/default/products/shop', { headers: { 'if-match': '*' } })
    const refused = await remove()
    expect([refused.status, refused.body['code']]).toEqual([409, 'admin.in_use'])
    expect(refused.body['detail']).toContain('acme')
    await control.done('POST', `${subscriptions}/${id}/cancel`)
    expect((await remove()).status).toBe(204)
    expect((await control.call('GET', `${subscriptions}/${id}`)).status).toBe(404)
  })
})

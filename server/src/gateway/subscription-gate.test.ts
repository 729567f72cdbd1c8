import { expect, test } from 'vitest'
import { testGateway, type TestGateway } from '../../test/test-gateway.ts'

const limit = { kind: 'rate-limit', config: { limit: 1, windowSeconds: 3600, algorithm: 'fixed-window' } }

/** The API `test` in products, and consumers whose keys are their names. */
function options(products: readonly object[], consumers: Readonly<Record<string, readonly object[]>>) {
  return {
    policies: [{ kind: 'key-auth' }],
    document: {
      products,
      consumers: Object.entries(consumers).map(([name, subscriptions]) => ({
        name,
        keys: [{ value: name }],
        subscriptions,
      })),
    },
  }
}

const shop = { name: 'shop', apis: ['test'], plans: [{ name: 'free' }, { name: 'small', policies: [limit] }] }
const open = { name: 'open', apis: ['test'], access: 'open', plans: [{ name: 'all' }] }

async function call(gateway: TestGateway, key: string): Promise<unknown> {
  const { status, body } = await gateway.inject('GET /', { headers: { 'x-api-key': key } })
  const problem: unknown = status === 200 ? undefined : JSON.parse(body)
  return status === 200 ? [status] : [status, Reflect.get(Object(problem), 'code')]
}

test('an API of a product is for its subscribers alone', async () => {
  const subscribed = [{ product: 'shop', plan: 'free' }]
  const gateway = await testGateway(options([shop], { acme: subscribed, other: [] }))
  expect(await call(gateway, 'acme')).toEqual([200])
  expect(await call(gateway, 'other')).toEqual([403, 'subscription.required'])
  const { body } = await gateway.inject('GET /', { headers: { 'x-api-key': 'other' } })
  expect(JSON.parse(body).detail).toBe('The consumer other has no active subscription to this API.')
  expect(gateway.seen).toHaveLength(1)
})

test('an API of a product with open access is for everybody, and plans still limit their subscribers', async () => {
  const plans = [{ name: 'all', policies: [limit] }]
  const consumers = { acme: [{ product: 'open', plan: 'all' }], other: [] }
  const gateway = await testGateway(options([{ ...open, plans }], consumers))
  expect([await call(gateway, 'acme'), await call(gateway, 'acme')]).toEqual([[200], [429, 'rate_limit.exceeded']])
  expect([await call(gateway, 'other'), await call(gateway, 'other')]).toEqual([[200], [200]])
})

test('an API of several products is for subscribers as soon as one says so, and a subscription to any of them will do', async () => {
  const consumers = { acme: [{ product: 'open', plan: 'all' }], other: [] }
  const gateway = await testGateway(options([shop, open], consumers))
  expect(await call(gateway, 'acme')).toEqual([200])
  expect(await call(gateway, 'other')).toEqual([403, 'subscription.required'])
})

test('who subscribes to several products of an API has the limits of all their plans', async () => {
  const consumers = {
    acme: [
      { product: 'open', plan: 'all' },
      { product: 'shop', plan: 'small' },
    ],
  }
  const gateway = await testGateway(options([shop, open], consumers))
  expect([await call(gateway, 'acme'), await call(gateway, 'acme')]).toEqual([[200], [429, 'rate_limit.exceeded']])
})

test('a caller that is no consumer is no subscriber', async () => {
  // The API asks for a key only now and then.
  const policies = [{ kind: 'key-auth', when: "request.path == '/private'" }]
  const gateway = await testGateway({ ...options([shop], { acme: [] }), policies })
  const { status, body } = await gateway.inject('GET /')
  expect([status, JSON.parse(body).detail]).toEqual([
    403,
    'Only subscribers may call this API, and the caller is no consumer.',
  ])
})

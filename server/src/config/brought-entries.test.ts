import { expect, test } from 'vitest'
import { testGateway } from '../../test/test-gateway.ts'

const successor = 'https://api.example.com/v2'

test('a file says that a version is deprecated, and every answer does', async () => {
  const lifecycle = { state: 'deprecated', deprecatedAt: '2026-03-01T00:00:00Z', successor }
  const gateway = await testGateway({ api: { lifecycle } })
  const { status, headers } = await gateway.inject('GET /')
  expect([status, headers['deprecation'], headers['link']]).toEqual([
    200,
    '@1772323200',
    `<${successor}>; rel="successor-version"`,
  ])
})

test('a retired version answers 410 before it asks who calls, and names its successor', async () => {
  const policies = [{ kind: 'ip-filter', config: { allow: ['192.0.2.1'] } }]
  const gateway = await testGateway({ policies, api: { lifecycle: { state: 'retired', successor } } })
  const { status, body } = await gateway.inject('GET /')
  expect([status, JSON.parse(body)]).toMatchObject([410, { detail: `Its successor is ${successor}.` }])
  expect(gateway.seen).toEqual([])
})

test('a mock without a document has nothing to answer from, and is refused', async () => {
  await expect(testGateway({ api: { lifecycle: { state: 'mock' } } })).rejects.toThrow('no effect')
})

test('a deprecation that announces nothing is refused', async () => {
  await expect(testGateway({ api: { lifecycle: { state: 'deprecated' } } })).rejects.toThrow('announces nothing')
})

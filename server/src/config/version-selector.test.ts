import { createServer } from 'node:http'
import { describe, expect, test } from 'vitest'
import { listenLocally } from '../../test/local-server.ts'
import { testControl } from '../../test/test-control.ts'
import { publishedGateway } from '../../test/published-gateway.ts'
import type { TestGateway } from '../../test/test-gateway.ts'
import { testGateway } from '../../test/test-gateway.ts'

interface Selector {
  readonly by: string
  readonly name?: string
  readonly value?: string
  readonly default?: boolean
}

/** Publishes the versions 1, 2 … of one API, each with its selector and an upstream that answers with its number. */
async function publish(selectors: readonly Selector[]) {
  const control = await testControl()
  const at = '/workspaces/default'
  await control.done('POST', `${at}/apis`, { name: 'books' })
  const answers: unknown[] = []
  for (const [index, selector] of selectors.entries()) {
    const version = String(index + 1)
    const port = await listenLocally(createServer((request, response) => response.end(`${version} ${request.url}`)))
    const targets = [{ url: `http://127.0.0.1:${port}` }]
    await control.done('POST', `${at}/upstreams`, { name: `shop-${version}`, targets })
    const routes = [{ name: 'all', match: { path: '/*' } }]
    const settings = { name: version, basePath: '/shop', upstream: `shop-${version}`, routes, selector }
    await control.done('POST', `${at}/apis/books/versions`, { settings })
    await control.done('POST', `${at}/apis/books/versions/${version}/revisions`)
    answers.push((await control.call('POST', `${at}/deployments`, { body: { api: 'books', version } })).body)
  }
  return { control, answers }
}

async function served(selectors: readonly Selector[]): Promise<TestGateway> {
  const { control } = await publish(selectors)
  return publishedGateway(control)
}

async function ask(gateway: TestGateway, target: string, headers: Record<string, string> = {}) {
  const { status, body, headers: answered } = await gateway.inject(`GET ${target}`, { headers })
  return { version: status === 200 ? body : status, vary: answered['vary'] }
}

describe('versions of one API beside each other', () => {
  test('are told apart by a header, and what names none gets the default', async () => {
    const gateway = await served([
      { by: 'header', name: 'X-Version', default: true },
      { by: 'header', name: 'X-Version' },
    ])
    const vary = 'x-version'
    expect(await ask(gateway, '/shop/a', { 'x-version': '2' })).toEqual({ version: '2 /a', vary })
    expect(await ask(gateway, '/shop/a', { 'x-version': '1' })).toEqual({ version: '1 /a', vary })
    expect(await ask(gateway, '/shop/a')).toEqual({ version: '1 /a', vary })
    expect((await ask(gateway, '/shop/a', { 'x-version': '3' })).version).toBe(404)
  })

  test('are told apart by a parameter of the query', async () => {
    const gateway = await served([
      { by: 'query', name: 'v', default: true },
      { by: 'query', name: 'v', value: 'next' },
    ])
    expect(await ask(gateway, '/shop/a?v=next')).toEqual({ version: '2 /a?v=next', vary: undefined })
    expect((await ask(gateway, '/shop/a?b=1')).version).toBe('1 /a?b=1')
    expect((await ask(gateway, '/shop/a?v=2')).version).toBe(404)
  })

  test('are told apart by the path, and the default answers without a version in it as well', async () => {
    const gateway = await served([
      { by: 'path', value: 'v1' },
      { by: 'path', value: 'v2', default: true },
    ])
    expect((await ask(gateway, '/shop/v1/a')).version).toBe('1 /a')
    expect((await ask(gateway, '/shop/v2/a')).version).toBe('2 /a')
    expect(await ask(gateway, '/shop/a')).toEqual({ version: '2 /a', vary: undefined })
  })

  test.each([
    ['application/vnd.books.v2+json', '2 /'],
    ['application/vnd.books.2+json; charset=utf-8', '2 /'],
    ['application/json; version=2', '2 /'],
    ['application/json; Version="v2", */*', '2 /'],
    ['application/vnd.books.v1+json;q=0.5, application/vnd.books.v2+json;q=0.9', '2 /'],
    ['application/vnd.books.v2+json;q=0, application/json', '1 /'],
    ['application/vnd.other.v2+json', '1 /'],
    ['application/json', '1 /'],
    ['application/vnd.books.v9+json', 404],
    ['application/vnd.books.v2+json;q=0.5, application/vnd.books.v9+json', 404],
  ])('are told apart by the media type %s', async (accept, version) => {
    const gateway = await served([
      { by: 'media-type', name: 'books', default: true },
      { by: 'media-type', name: 'books' },
    ])
    expect(await ask(gateway, '/shop/', { accept })).toMatchObject({ version })
    expect((await ask(gateway, '/shop/', { accept: '*/*' })).vary).toBe('accept')
  })

  test('without a default, a request that names none finds nothing', async () => {
    const gateway = await served([{ by: 'header', name: 'x-version' }])
    expect((await ask(gateway, '/shop/a')).version).toBe(404)
  })

  test.each([
    [
      { by: 'header', name: 'x-version', default: true },
      { by: 'header', name: 'x-version', default: true },
    ],
    [
      { by: 'header', name: 'x-version', value: '1' },
      { by: 'header', name: 'x-version', value: '1' },
    ],
    [
      { by: 'query', name: 'v', default: true },
      { by: 'query', name: 'v', default: true },
    ],
    [
      { by: 'path', value: 'v1', default: true },
      { by: 'path', value: 'v2', default: true },
    ],
    [
      { by: 'media-type', value: 'v1' },
      { by: 'media-type', value: '1' },
    ],
  ])('%j and %j cannot both be published, and the answer names both', async (...selectors) => {
    const { answers } = await publish(selectors)
    expect(answers[1]).toMatchObject({ code: 'deployment.route_taken', status: 409 })
    expect(JSON.stringify(answers[1])).toMatch(/books 2 claims .* which books 1 serves in production/)
  })
})

describe('a selector that cannot work is refused', () => {
  test.each([
    [{ by: 'header' }, 'does not name its header'],
    [{ by: 'query' }, 'does not name its parameter'],
    [{ by: 'path', name: 'x' }, 'has no name'],
  ])('%j', async (selector, message) => {
    await expect(testGateway({ api: { selector } })).rejects.toThrow(message)
  })

  test('two defaults of one API in a file', async () => {
    const api = { selector: { by: 'header', name: 'x-version', default: true }, upstream: 'upstream' }
    const routes = [{ name: 'all', match: { path: '/*' }, policies: [{ kind: 'respond', config: { status: 204 } }] }]
    const apis = ['1', '2'].map((version) => ({ name: 'books', version, routes, selector: api.selector }))
    await expect(testGateway({ document: { apis } })).rejects.toThrow('fits the route "all" equally well')
  })
})

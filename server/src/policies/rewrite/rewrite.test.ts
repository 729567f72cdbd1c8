import { expect, test } from 'vitest'
import type { Exchange } from '../../kernel/exchange.ts'
import { Problem } from '../../kernel/problem.ts'
import { testExchange, testRoute } from '../../../test/test-exchange.ts'
import { testGateway } from '../../../test/test-gateway.ts'
import { checkPolicy, runPolicy } from '../../../test/test-services.ts'
import { rewrite } from './rewrite.ts'

/** What the upstream is asked for: path and query, or the code of the refusal. */
async function forwarded(config: unknown, exchange: Exchange): Promise<string> {
  const { answer } = await runPolicy(rewrite, config, exchange)
  if (answer instanceof Problem) return answer.definition.code
  const { query } = exchange.request
  return (exchange.forwardPath ?? '(as it was)') + (query === undefined ? '' : `?${query}`)
}

test('a template replaces the whole path, and the query stays', async () => {
  const exchange = testExchange({ path: '/shop/books/7', query: 'a=1', parameters: { id: '7' } })
  expect(await forwarded({ path: '/v2/items/{id}/full' }, exchange)).toBe('/v2/items/7/full?a=1')
  expect(exchange.request.path).toBe('/shop/books/7')
})

test.each([
  ['a b', '/v2/a%20b'],
  ['100%', '/v2/100%25'],
  ['a?b#c', '/v2/a%3Fb%23c'],
  ['a/b', '/v2/a%2Fb'],
  ['ü', '/v2/%C3%BC'],
  ['a{b}', '/v2/a%7Bb%7D'],
  ['...', '/v2/...'],
])('a parameter %j is inserted as one encoded segment', async (id, path) => {
  expect(await forwarded({ path: '/v2/{id}' }, testExchange({ parameters: { id } }))).toBe(path)
})

test.each(['.', '..', '', '%2e', '%2F', '..;x', '../admin', '..\\admin', 'a\0b', 'a\r\nb'])(
  'a parameter %j that would make the path ambiguous is refused',
  async (id) => {
    expect(await forwarded({ path: '/v2/{id}/x' }, testExchange({ parameters: { id } }))).toBe('rewrite.unsafe_path')
  },
)

test.each([
  ['/v2/books', '/v2/books'],
  ['../admin', 'rewrite.unsafe_path'],
  ['/v2/../admin', 'rewrite.unsafe_path'],
  ['//evil.example/', 'rewrite.unsafe_path'],
  ['/v2?admin=1', 'rewrite.unsafe_path'],
  ['/v2/%2e%2e/admin', 'rewrite.unsafe_path'],
  ['http://evil.example/', 'rewrite.unsafe_path'],
])('a computed path %j gives %s', async (to, path) => {
  const exchange = testExchange({ headers: { 'x-to': to } })
  expect(await forwarded({ path: { expression: "request.headers['x-to']" } }, exchange)).toBe(path)
})

test.each([
  ['/shop', '/v2', '/shop/books/7', '/v2/books/7'],
  ['/shop', '/v2', '/shop', '/v2'],
  ['/shop', '/', '/shop', '/'],
  ['/shop', '/', '/shop/books', '/books'],
  ['/', '/v2', '/books', '/v2/books'],
  ['/shop', '/v2', '/shopping/books', '(as it was)'],
])('the beginning %s becomes %s: %s goes to %s', async (from, to, path, expected) => {
  expect(await forwarded({ replacePrefix: { from, to } }, testExchange({ path }))).toBe(expected)
})

test.each([
  [{ remove: ['a'] }, 'a=1&b=%20&a=2&%61=3', '?b=%20'],
  [{ remove: ['a'] }, 'a=1', ''],
  [{ set: { a: 'x y&z' } }, undefined, '?a=x%20y%26z'],
  [{ set: { a: '2' } }, 'b=1&a=1&c=3', '?b=1&c=3&a=2'],
  [{ set: { 'a[]': { expression: 'request.query.b' } }, remove: ['b'] }, 'b=1', '?a%5B%5D=1'],
])('the query changed by %j: %s gives %s', async (query, before, after) => {
  const exchange = before === undefined ? testExchange() : testExchange({ query: before })
  expect(await forwarded({ query }, exchange)).toBe(`(as it was)${after}`)
})

test('a value with half a surrogate pair is sent as the replacement character', async () => {
  const exchange = testExchange({ principal: { id: '\uD800' } })
  const config = { query: { set: { id: { expression: 'principal.id' } } } }
  expect(await forwarded(config, exchange)).toBe('(as it was)?id=%EF%BF%BD')
})

const route = testRoute({ id: 'books/1.0.0/get', parameterNames: ['id'] })

test.each([
  [{}, ': changes nothing'],
  [{ query: {} }, 'query: changes nothing'],
  [{ path: 'books' }, 'path: must begin with /'],
  [{ path: '/books?x=1' }, 'path: must begin with /'],
  [{ path: '/a/../b' }, 'path: must begin with /'],
  [{ path: '/books/{name}' }, 'path: inserts {name}, which the path of route books/1.0.0/get does not have'],
  [{ path: { expression: 'nothing.at.all' } }, 'path.expression: '],
  [{ path: '/a', replacePrefix: { from: '/', to: '/b' } }, 'replacePrefix: has no effect'],
  [{ replacePrefix: { from: '/a/', to: '/b' } }, 'replacePrefix.from: must begin with /, not end with it'],
  [{ replacePrefix: { from: '/a', to: 'b' } }, 'replacePrefix.to: '],
  [{ query: { remove: ['a'], set: { a: '1' } } }, 'query.remove.0: has no effect'],
])('%j is refused', (config, message) => {
  const found = checkPolicy(rewrite, config, [route])
  expect(found).toHaveLength(1)
  expect(found[0]).toContain(message)
})

test.each(rewrite.examples)('example: $title', async ({ config }) => {
  expect(checkPolicy(rewrite, config, [route])).toEqual([])
  const exchange = testExchange({ path: '/shop/x', parameters: { id: '7' }, principal: {} })
  expect(await forwarded(config, exchange)).toMatch(/^\/catalogue\/v2\/items\/7$|^\/v2\/x$|tenant=acme/)
})

test('through a gateway: the path replaces what stripping would have left, below that of the target', async () => {
  const rewriteTo = (config: object): object[] => [{ kind: 'rewrite', config }]
  const gateway = await testGateway({
    api: { basePath: '/shop' },
    routes: [
      {
        name: 'book',
        match: { path: '/books/{id}' },
        policies: rewriteTo({ path: '/items/{id}', query: { set: { kind: 'book' } } }),
      },
      {
        name: 'old',
        match: { path: '/old/*' },
        policies: rewriteTo({ replacePrefix: { from: '/shop/old', to: '/v1' } }),
      },
      { name: 'rest', match: { path: '/*' } },
    ],
  })
  for (const path of ['/shop/books/a%20b?x=1', '/shop/old/c/d', '/shop/e']) await gateway.inject(`GET ${path}`)
  expect(gateway.seen.map(({ url }) => url)).toEqual(['/items/a%20b?x=1&kind=book', '/v1/c/d', '/e'])
  const [record] = await gateway.recorded(3)
  expect(record).toMatchObject({ path: '/shop/books/a%20b' })
})

import { expect, test } from 'vitest'
import type { RouteMatch } from '../kernel/snapshot.ts'
import { Router } from './router.ts'

interface Asked {
  readonly header?: string
}

interface NamedRoute {
  readonly name: string
  readonly match: RouteMatch
  readonly fits: ((asked: Asked) => boolean) | undefined
}

function routeOf(name: string, path: string, more: Partial<RouteMatch> = {}): NamedRoute {
  const match: RouteMatch = {
    hosts: [],
    path,
    basePath: '',
    methods: [],
    headers: [],
    query: [],
    when: undefined,
    encodedSlash: 'refuse',
    ...more,
  }
  const [wanted] = match.headers
  return { name, match, fits: wanted === undefined ? undefined : (asked) => asked.header === wanted.value }
}

/** `find('GET', '/books')` gives the route's name with its parameters, or the methods that are allowed. */
function finder(routes: readonly NamedRoute[]) {
  const router = new Router<Asked, NamedRoute>()
  for (const route of routes) router.add(route)
  return (method: string, path: string, host = 'any.example', asked: Asked = {}): string | undefined => {
    const found = router.find(asked, method, host, path)
    if (found instanceof Set) return `allow ${[...found].toSorted().join(',')}`
    return found === undefined ? undefined : [found.route.name, ...found.parameters].join(' ')
  }
}

test('a literal segment comes before a parameter, and a parameter before a prefix, segment by segment from the left', () => {
  const find = finder([
    routeOf('prefix', '/*'),
    routeOf('below', '/books/*'),
    routeOf('one', '/books/{id}'),
    routeOf('best', '/books/best'),
    routeOf('reviews', '/books/{id}/reviews'),
    routeOf('own', '/books/best/{part}'),
  ])
  expect(find('GET', '/books/best')).toBe('best')
  expect(find('GET', '/books/7')).toBe('one 7')
  expect(find('GET', '/books/7/reviews')).toBe('reviews 7')
  expect(find('GET', '/books/best/reviews')).toBe('own reviews')
  expect(find('GET', '/books/7/pages/3')).toBe('below')
  expect(find('GET', '/books')).toBe('below')
  expect(find('GET', '/booksellers')).toBe('prefix')
  expect(find('GET', '/')).toBe('prefix')
})

test('a parameter is never empty and is handed over decoded', () => {
  const find = finder([routeOf('one', '/books/{id}')])
  expect(find('GET', '/books/')).toBeUndefined()
  expect(find('GET', '/books/a%20b')).toBe('one a b')
})

test('a method that does not fit falls through to less specific paths, and is 405 only when none has it', () => {
  const find = finder([
    routeOf('read', '/books/best', { methods: ['GET'] }),
    routeOf('write', '/books/{id}', { methods: ['PUT'] }),
  ])
  expect(find('PUT', '/books/best')).toBe('write best')
  expect(find('DELETE', '/books/best')).toBe('allow GET,PUT')
  expect(find('DELETE', '/nothing')).toBeUndefined()
})

test('more conditions come before fewer, and a condition that does not fit is passed over', () => {
  const find = finder([
    routeOf('plain', '/books'),
    routeOf('beta', '/books', { headers: [{ name: 'x-channel', value: 'beta' }] }),
  ])
  expect(find('GET', '/books', 'any.example', { header: 'beta' })).toBe('beta')
  expect(find('GET', '/books')).toBe('plain')
})

test('an exact host comes before a wildcard, the longer wildcard first, and any host last', () => {
  const find = finder([
    routeOf('any', '/*'),
    routeOf('wild', '/*', { hosts: ['*.example.com'] }),
    routeOf('longer', '/*', { hosts: ['*.eu.example.com'] }),
    routeOf('exact', '/only', { hosts: ['api.eu.example.com'] }),
  ])
  expect(find('GET', '/only', 'api.eu.example.com')).toBe('exact')
  expect(find('GET', '/other', 'api.eu.example.com')).toBe('longer')
  expect(find('GET', '/', 'api.example.com')).toBe('wild')
  expect(find('GET', '/', 'example.com')).toBe('any')
  expect(find('GET', '/', 'evil-example.com')).toBe('any')
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { couldFork, listForks } from '../config/path-forks.ts'
import { toPathShape } from '../config/route-path.ts'
import type { RouteMatch } from '../kernel/snapshot.ts'
import { Router } from './router.ts'

interface Asked {
  readonly header?: string
}

interface NamedRoute {
  readonly name: string
  readonly match: RouteMatch
  readonly methods: readonly string[]
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
  return {
    name,
    match,
    methods: match.methods,
    fits: wanted === undefined ? undefined : (asked) => asked.header === wanted.value,
  }
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

test('text with parameters comes between a literal segment and a parameter, more text first', () => {
  const find = finder([
    routeOf('any', '/files/{name}'),
    routeOf('typed', '/files/{name}.{extension}'),
    routeOf('json', '/files/{name}.json'),
    routeOf('report', '/files/report-{id}.json'),
    routeOf('index', '/files/index.json'),
    routeOf('cancel', '/files/{name}:cancel', { methods: ['POST'] }),
    routeOf('pages', '/files/{name}.{extension}/pages/{page}'),
  ])
  expect(find('GET', '/files/index.json')).toBe('index')
  expect(find('GET', '/files/report-7.json')).toBe('report 7')
  expect(find('GET', '/files/a.b.json')).toBe('json a.b')
  expect(find('GET', '/files/a.tar.gz')).toBe('typed a.tar gz')
  expect(find('GET', '/files/a%20b.x')).toBe('typed a b x')
  expect(find('GET', '/files/.json')).toBe('any .json')
  expect(find('GET', '/files/a.pdf/pages/3')).toBe('pages a pdf 3')
  expect(find('GET', '/files/a.json/pages/3')).toBe('pages a json 3')
  expect(find('POST', '/files/a.b:cancel')).toBe('cancel a.b')
  expect(find('GET', '/files/a:cancel')).toBe('any a:cancel')
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

/** Ranks of a path's segments, higher first; lists of ranks are compared from the left. */
function ranksOf(path: string): number[] {
  return path
    .split('/')
    .slice(1)
    .map((segment) => {
      const text = segment.replaceAll(/\{[^}]*\}/g, '')
      if (text === segment) return segment === '*' ? 0 : 1000
      return 1 + text.length
    })
}

/** A path that ends comes before a prefix that goes on, which stands for what ends there too. */
const END = 0.5

function isMoreSpecific(a: string, b: string): boolean {
  const [left, right] = [ranksOf(a), ranksOf(b)]
  const length = Math.max(left.length, right.length)
  const differences = Array.from({ length }, (_, at) => (left[at] ?? END) - (right[at] ?? END))
  return (differences.find((each) => each !== 0) ?? 0) > 0
}

/** Whether nobody could say which of two paths comes first, for which a configuration is refused. */
function areRivals(a: string, b: string): boolean {
  if (toPathShape(a) === toPathShape(b)) return true
  const forks = listForks(b).map(({ place }) => place)
  return listForks(a).some(({ at, place }) => forks.includes(place) && couldFork(a, b, at))
}

function matches(template: string, path: string): boolean {
  const source = template
    .replace(/\/\*$/, '(?:/.*)?')
    .replaceAll('.', String.raw`\.`)
    .replaceAll(/\{[^}]*\}/g, '[^/]+')
  return new RegExp(`^${source.replaceAll(String.raw`(?:/\.`, '(?:/.')}$`).test(path)
}

test('whatever the routes, the most specific one that matches is found', () => {
  const segment = fc.constantFrom('a', 'b', 'a.b', '{p}', '{p}.b', 'a{p}', '{p}.{q}', 'a.{p}', '{p}b', '{p}a{q}')
  const template = fc
    .tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '', '/*'))
    .map(([segments, end]) => `/${segments.join('/')}${end}`)
  const path = fc
    .array(fc.stringMatching(/^[ab.]{1,4}$/), { minLength: 1, maxLength: 4 })
    .map((segments) => `/${segments.join('/')}`)
  fc.assert(
    fc.property(fc.array(template, { maxLength: 8 }), path, (templates, asked) => {
      const kept: string[] = []
      for (const each of templates) if (!kept.some((other) => areRivals(each, other))) kept.push(each)
      const best = kept
        .filter((each) => matches(each, asked))
        .reduce<string | undefined>(
          (most, each) => (most === undefined || isMoreSpecific(each, most) ? each : most),
          undefined,
        )
      const find = finder(kept.map((each) => routeOf(each, each)))
      expect(find('GET', asked)?.split(' ')[0]).toBe(best)
    }),
    { numRuns: 20_000 },
  )
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RouteMatch } from '../kernel/snapshot.ts'
import { Router } from './router.ts'

interface NumberedRoute {
  readonly number: number
  readonly match: RouteMatch
  readonly methods: readonly string[]
  readonly fits: undefined
}

const paths = ['/a', '/a/b', '/a/{x}', '/a/{x}/c', '/a/b/*', '/*', '/a/v{x}', '/a/v{x}.{y}', '/b/{x}']
const hosts = [[], ['one.test'], ['*.test'], ['*.deep.test'], ['two.test', 'x.deep.test']]
const methods = ['GET', 'PUT']

/** All routes that there can be; no two of them are equal in precedence. */
const all: readonly NumberedRoute[] = hosts.flatMap((host, h) =>
  paths.flatMap((path, p) =>
    methods.map((method, m): NumberedRoute => {
      const match = { hosts: host, path, basePath: '', methods: [method], headers: [], query: [], when: undefined }
      return {
        number: (h * paths.length + p) * methods.length + m,
        match: { ...match, encodedSlash: 'refuse' },
        methods: [method],
        fits: undefined,
      }
    }),
  ),
)

const asked = ['/', '/a', '/a/b', '/a/b/c', '/a/z', '/a/z/c', '/a/v1', '/a/v1.2', '/b/1', '/c']
const askedHosts = ['one.test', 'two.test', 'x.deep.test', 'other']

type Routes = Router<undefined, NumberedRoute>

function answers(router: Routes): unknown[] {
  return askedHosts.flatMap((host) =>
    asked.flatMap((path) =>
      [...methods, 'POST'].map((method) => {
        const found = router.find(undefined, method, host, path)
        if (found === undefined || found instanceof Set) return found === undefined ? [] : [...found].sort()
        return [found.route.number, ...found.parameters]
      }),
    ),
  )
}

function build(numbers: ReadonlySet<number>): Routes {
  const router: Routes = new Router()
  for (const route of all) if (numbers.has(route.number)) router.add(route)
  return router
}

const change = fc.array(fc.nat({ max: all.length - 1 }), { maxLength: 60 })

test('a router that was changed answers as one that is built of the routes it has, and what it was copied from as before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 6 }), async (changes) => {
      let router: Routes = new Router()
      const has = new Set<number>()
      for (const numbers of changes) {
        const before = router
        const answersBefore = answers(before)
        router = router.copy()
        for (const number of numbers) {
          const route = all[number]
          if (route === undefined) continue
          if (has.delete(number)) router.remove(route)
          else {
            has.add(number)
            router.add(route)
          }
        }
        await router.compact(() => Promise.resolve())
        expect(answers(router)).toEqual(answers(build(has)))
        expect(answers(before)).toEqual(answersBefore)
      }
    }),
    { numRuns: 60 },
  )
})

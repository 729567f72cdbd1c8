import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Routable } from '../../gateway/route-tree.ts'
import { Router } from '../../gateway/router.ts'
import { createMeetingFinder, hostsToMeet, startsOf, toStem, type ClaimedPlace } from './route-overlap.ts'

function toPlace(text: string): ClaimedPlace {
  const at = text.indexOf('/')
  const path = text.slice(at)
  return { host: text.slice(0, at), path, stem: toStem(path) }
}

function couldMeet(left: string, right: string): boolean {
  return createMeetingFinder([toPlace(left)])(toPlace(right)) !== undefined
}

describe('whether a request could fit two routes of two tenants', () => {
  test.each([
    ['*/pay', 'api.example.com/pay', true],
    ['*/pay', '*.example.com/pay', true],
    ['*.example.com/pay', 'a.b.example.com/pay', true],
    ['*.example.com/pay', '*.b.example.com/pay', true],
    ['*.example.com/pay', 'example.com/pay', false],
    ['*.example.com/pay', 'notexample.com/pay', false],
    ['a.example.com/pay', 'b.example.com/pay', false],
    ['*/pay', '*/pay/', false],
    ['*/pay', '*/pays', false],
    ['*/pay', '*/pay/all', false],
    ['*/shop/*', '*/shop', true],
    ['*/shop/*', '*/shop/admin', true],
    ['*/shop/*', '*/shop/admin/*', true],
    ['*/shop/*', '*/shop-2/admin', false],
    ['*/*', '*/', true],
    ['*/{}/pages', '*/books/pages', true],
    ['*/books/{}', '*/books/new', true],
    ['*/books/{}', '*/books/', false],
    ['*/books/{}', '*/books/new/pages', false],
    ['*/a/{}/c', '*/a/b/{}', true],
    ['*/a/b/c/d/e/f/g/h/i/j/{}', '*/a/b/c/d/e/f/g/h/i/j/k', true],
    ['*/a/b/c/d/e/f/g/h/i/j/*', '*/a/b/c/d/e/f/g/h/i', false],
    ['*/a/b/c/d/e/f/g/h/*', '*/a/b/c/d/e/f/g/h/i/j/k/l', true],
    ['*/files/{}.json', '*/files/report-{}', true],
    ['*/files/{}.json', '*/files/{}.html', false],
  ])('%s and %s: %s', (left, right, expected) => {
    expect([couldMeet(left, right), couldMeet(right, left)]).toEqual([expected, expected])
  })

  const host = fc.constantFrom('*', 'a.test', 'b.a.test', 'b.test', '*.test', '*.a.test')
  const segment = fc.constantFrom('a', 'b', '{}', 'a{}', '{}b')
  const end = fc.constantFrom('', '/', '/*')
  const place = fc
    .tuple(host, fc.array(segment, { maxLength: 3 }), end)
    .map(([name, segments, last]) => toPlace(`${name}${segments.map((each) => `/${each}`).join('')}${last}`))
    .filter(({ path }) => path !== '')
  const asked = fc.tuple(
    fc.constantFrom('a.test', 'b.a.test', 'b.test', 'c.b.a.test'),
    fc.array(fc.constantFrom('a', 'b', 'ab', 'c'), { maxLength: 4 }).map((segments) => `/${segments.join('/')}`),
  )

  test('whatever the gateway would route to either of two places is found to be of both', () => {
    fc.assert(
      fc.property(fc.array(place, { minLength: 1, maxLength: 4 }), place, asked, (places, other, request) => {
        const takes = (each: ClaimedPlace): boolean => isRouted(each, request)
        if (takes(other) && places.some(takes)) expect(createMeetingFinder(places)(other)).toBeDefined()
      }),
      { numRuns: 20_000 },
    )
  })

  test('what could meet is looked for under its host and stem', () => {
    fc.assert(
      fc.property(place, place, (own, other) => {
        if (createMeetingFinder([own])(other) === undefined) return
        expect(hostsToMeet([own.host])?.has(other.host) ?? true).toBe(true)
        const isAbove = startsOf(own.stem).includes(other.stem)
        expect(isAbove || (own.path !== own.stem && startsOf(other.stem).includes(own.stem))).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })
})

function isRouted({ host, path }: ClaimedPlace, [asked, target]: readonly [string, string]): boolean {
  const router = new Router<undefined, Routable<undefined>>()
  const rest = { basePath: '', methods: [], headers: [], query: [], when: undefined, encodedSlash: 'refuse' } as const
  // Names of parameters make no difference to the router.
  const match = { hosts: host === '*' ? [] : [host], path: path.replaceAll('{}', '{x}'), ...rest }
  router.add({ match, methods: [], fits: undefined })
  return router.find(undefined, 'GET', asked, target) !== undefined
}

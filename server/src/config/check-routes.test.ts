import { describe, expect, test } from 'vitest'
import { findIssues } from '../../test/test-config.ts'

/** What is wrong with two routes of one API, given as YAML of their `match`. */
function compare(first: string, second: string): string[] {
  return findIssues({
    'a.yaml': `headgate: 1
upstreams: [{ name: u, targets: [{ url: "http://a" }] }]
apis:
  - name: a
    upstream: u
    routes:
      - { name: first, match: { ${first} } }
      - { name: second, match: { ${second} } }
`,
  })
}

describe('two routes that a request fits equally well are refused', () => {
  test.each([
    ['path: /a', 'path: /a'],
    ['path: "/a/{x}"', 'path: "/a/{y}"'],
    ['path: /a/*', 'path: /a/*'],
    ['path: /a, methods: [GET]', 'path: /a, methods: [POST, GET]'],
    ['path: /a, hosts: [x.example.com, Y.example.com]', 'path: /a, hosts: [y.example.com]'],
    ['path: /a, headers: [{ name: x }]', 'path: /a, headers: [{ name: y }]'],
    ['path: /a, headers: [{ name: x, value: "1" }]', 'path: /a, headers: [{ name: X }]'],
    ['path: /a, methods: [GET]', 'path: /a, headers: [{ name: x }]'],
    ['path: /a, when: "true"', 'path: /a, when: "true"'],
    ['path: /b%c3%bc', 'path: /bü'],
    ['path: "/{x}.json"', 'path: "/{y}.json"'],
    ['path: "/{x}.json"', 'path: "/rest-{y}"'],
    ['path: "/{x}-{y}/b"', 'path: "/{x}.{y}/b", headers: [{ name: x }]'],
    ['path: "/{x}-{y}/{z}"', 'path: "/{x}.{y}/c"'],
    ['path: "/{x}-{y}/*"', 'path: "/{x}.{y}"'],
    ['path: /a, query: [{ name: x, absent: true }]', 'path: /a, query: [{ name: y }]'],
  ])('%s and %s', (first, second) => {
    const issues = compare(first, second)
    expect(issues).toHaveLength(1)
    expect(issues[0]).toContain('a.yaml:8:9: apis[0].routes[1]: a request for')
    expect(issues[0]).toContain('fits the route "first" equally well (the other one stands at a.yaml:7:9)')
  })
})

describe('two routes of which one is more specific, or which exclude each other, stand beside each other', () => {
  test.each([
    ['path: /a', 'path: /b'],
    ['path: /a', 'path: /a/'],
    ['path: "/{x}"', 'path: /a'],
    ['path: "/{x}"', 'path: /*'],
    ['path: /a/*', 'path: /a/b/*'],
    ['path: /a, methods: [GET]', 'path: /a, methods: [POST]'],
    ['path: /a, methods: [GET]', 'path: /a'],
    ['path: /a, hosts: [a.example.com]', 'path: /a, hosts: ["*.example.com"]'],
    ['path: /a, hosts: [a.example.com]', 'path: /a'],
    ['path: /a, headers: [{ name: x }]', 'path: /a'],
    ['path: /a, headers: [{ name: x, value: "1" }]', 'path: /a, headers: [{ name: x, value: "2" }]'],
    ['path: /a, query: [{ name: x, value: "1" }]', 'path: /a, query: [{ name: x, value: "2" }]'],
    ['path: "/{x}.json"', 'path: "/{y}.html"'],
    ['path: "/{x}.json"', 'path: "/{x}.{y}"'],
    ['path: "/{x}.json"', 'path: "/{x}"'],
    ['path: "/{x}.json"', 'path: /a.json'],
    ['path: "/{x}-{y}/b"', 'path: "/{x}.{y}/c"'],
    ['path: "/{x}-{y}/b"', 'path: "/{x}.{y}"'],
    ['path: "/{x}-{y}/b"', 'path: "/{x}.{y}/"'],
    ['path: "/{x}-{y}", methods: [GET]', 'path: "/{x}.{y}", methods: [PUT]'],
    ['path: /a, query: [{ name: x }]', 'path: /a, query: [{ name: x, absent: true }]'],
    ['path: /a, query: [{ name: x, value: "1" }]', 'path: /a, query: [{ name: x, absent: true }]'],
    ['path: /a, when: "request.ip == \'1\'"', 'path: /a, when: "request.ip == \'2\'"'],
  ])('%s and %s', (first, second) => expect(compare(first, second)).toEqual([]))
})

describe('paths that could never match are refused', () => {
  test.each([
    ['/a%2Fb', 'encoded slash'],
    ['/a/%2e%2e/b', 'can never match'],
    ['/a/*/b', '`*` stands only alone at the end'],
    ['/a/b*', '`*` stands only alone at the end'],
    ['/a%zz', 'percent sign'],
    ['/{}', 'names no parameter'],
    ['/{a}*', '`*` stands only alone at the end'],
    ['/{a}{b}', 'touch'],
    ['/a}', 'has no partner'],
    ['/{a}-{a}', 'stands twice'],
    ['/{a}%2F', 'encoded slash'],
  ])('%s', (path, message) => expect(compare(`path: "${path}"`, 'path: /other')[0]).toContain(message))
})

test('a value and absence of one field contradict each other', () => {
  expect(compare('path: /a, query: [{ name: x, value: "1", absent: true }]', 'path: /b')).toEqual([
    'a.yaml:7:51: apis[0].routes[0].match.query[0]: `value` and `absent` stand together. Leave one of them out.',
  ])
})

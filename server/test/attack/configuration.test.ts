import { expect, test } from 'vitest'
import { documentWith, findIssues } from '../test-config.ts'

const secret = 'TOP-SECRET.value'
const policy = (entry: string): string => documentWith(`policies: [${entry}]`)

test.each<[where: string, document: string]>([
  ['the URL of a target', documentWith('').replace('http://127.0.0.1:9001', 'http://user:${S}@host')],
  ['a whole URL', documentWith('').replace('http://127.0.0.1:9001', '${S}')],
  ['the address of a key set', policy('{ kind: jwt, config: { jwksUrl: "${S}", issuer: a, audiences: [b] } }')],
  ['a shared secret that is too short', policy('{ kind: jwt, config: { secret: "${S}" } }')],
  ['a public key', policy('{ kind: jwt, config: { publicKey: "${S}" } }')],
  ['a key of a set', policy('{ kind: jwt, config: { jwks: { keys: [{ kty: "${S}" }] } } }')],
  ['an origin', policy('{ kind: cors, config: { origins: ["${S}"] } }')],
  ['a network', policy('{ kind: ip-filter, config: { allow: ["${S}"] } }')],
  ['the kind of a policy', policy('{ kind: "${S}" }')],
  ['a condition', policy('{ kind: fault, when: "${S}", config: { abort: { percent: 5 } } }')],
  ['an expression', policy('{ kind: rate-limit, config: { limit: 1, countBy: "${S}" } }')],
  [
    'the expression of a header',
    policy('{ kind: headers, config: { request: { set: { a: { expression: "${S}" } } } } }'),
  ],
  ['a number', policy('{ kind: rate-limit, config: { limit: "${S}" } }')],
  ['a path', policy('{ kind: rewrite, config: { path: "${S}" } }')],
  ['a hash', documentWith('consumers: [{ name: a, keys: [{ hash: "${S}" }] }]')],
  ['keys that are the same', documentWith('consumers: [{ name: a, keys: [{ value: "${S}" }, { value: "${S}" }] }]')],
  ['the time of an expiry', documentWith('consumers: [{ name: a, keys: [{ value: k, expiresAt: "${S}" }] }]')],
  ['a subscription', documentWith('consumers: [{ name: a, subscriptions: [{ product: "${S}", plan: "${S}" }] }]')],
  ['a certificate', documentWith('gateway: { tls: { certificates: [{ cert: "${S}", key: "${S}" }] } }')],
  ['a trusted proxy', documentWith('gateway: { trustedProxies: ["${S}"] }')],
])('no message repeats what the environment put into %s', (_, document) => {
  const issues = findIssues({ 'headgate.yaml': document }, { environment: { S: secret } })
  expect(issues).not.toEqual([])
  for (const part of [secret, 'TOP', 'SECRET']) expect(issues.join('\n')).not.toContain(part)
})

test.each(['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__', '__defineGetter__'])(
  'a key named like a member of all objects is refused wherever it stands: %s',
  (key) => {
    expect(findIssues({ 'headgate.yaml': documentWith(`${key}: { a: 1 }`) })).toHaveLength(1)
    expect(findIssues({ 'headgate.yaml': documentWith(`gateway: { ${key}: 1 }`) })).toHaveLength(1)
    expect(
      findIssues({ 'headgate.yaml': policy(`{ kind: cors, config: { origins: ["*"], ${key}: 1 } }`) }),
    ).toHaveLength(1)
  },
)

test.each<[bomb: string, document: string, message: string]>([
  [
    'aliases that double nine times ten',
    documentWith(
      `x: [${Array.from(
        { length: 9 },
        (_, i) =>
          `&a${i} [${
            i === 0
              ? 'b'
              : Array(10)
                  .fill(`*a${i - 1}`)
                  .join()
          }]`,
      ).join()}]`,
    ),
    'repeats more than 1000000 values by aliases',
  ],
  ['an alias of what it stands in', documentWith('x: &a [*a]'), 'stands inside what it repeats'],
  ['thousands of levels', documentWith(`x: ${'['.repeat(5000)}`), 'nests deeper than 100 levels'],
  ['a key that stands twice', documentWith('gateway: {}\ngateway: {}'), 'stands here a second time'],
  ['a second document', documentWith('---\nheadgate: 1'), 'holds a second document'],
  ['a tag of another language', documentWith('gateway: !!js/function "x"'), 'nresolved tag'],
])('%s is refused before it costs much', (_, document, message) => {
  expect(findIssues({ 'headgate.yaml': document }).join('\n')).toContain(message)
})

test.each([
  'file:///etc/passwd',
  '/etc/passwd',
  '../../etc/passwd',
  'https://evil.example/a.json',
  '//evil/a',
  '%2e%2e/%2e%2e/etc/passwd',
])('a reference of an OpenAPI document does not leave its folder: %s', (reference) => {
  const parameters = [{ $ref: `${reference}#/a` }]
  const spec = {
    openapi: '3.1.0',
    info: { title: 'a', version: '1' },
    paths: { '/b': { get: { parameters, responses: {} } } },
  }
  const api = 'apis: [{ name: a, upstream: u, spec: ./a/s.json, policies: [{ kind: validate-request }] }]'
  const document = `headgate: 1\nupstreams: [{ name: u, targets: [{ url: "http://127.0.0.1:1" }] }]\n${api}`
  const issues = findIssues({ 'headgate.yaml': document, 'a/s.json': JSON.stringify(spec) })
  expect(issues.join()).toMatch(/leads (?:out of the configuration|to )/)
  expect(issues.join()).not.toContain('root:')
})

test('parameters that refer to each other twice at every step are refused before they fill the memory', () => {
  const steps = 40
  const twice = (step: number): object => ({ $ref: `#/components/parameters/P${step + 1}` })
  const parameters = Object.fromEntries(
    Array.from({ length: steps }, (_, step) => [
      `P${step}`,
      { name: 'a', in: 'query', x: twice(step), y: twice(step) },
    ]),
  )
  const operation = { parameters: [{ $ref: '#/components/parameters/P0' }], responses: {} }
  const spec = {
    openapi: '3.1.0',
    info: { title: 'a', version: '1' },
    paths: { '/b': { get: operation } },
    components: { parameters: { ...parameters, [`P${steps}`]: { name: 'a', in: 'query' } } },
  }
  const api = 'apis: [{ name: a, upstream: u, spec: ./s.json, policies: [{ kind: validate-request }] }]'
  const document = `headgate: 1\nupstreams: [{ name: u, targets: [{ url: "http://127.0.0.1:1" }] }]\n${api}`
  const issues = findIssues({ 'headgate.yaml': document, 's.json': JSON.stringify(spec) })
  expect(issues).toHaveLength(1)
  expect(issues[0]).toContain('the operation amounts to more than 50000 values')
})

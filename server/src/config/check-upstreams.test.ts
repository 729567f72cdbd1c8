import { describe, expect, test } from 'vitest'
import { createCertificate } from '../../test/certificates.ts'
import { compileFiles, documentWith, findIssues, type TestFiles } from '../../test/test-config.ts'

const own = createCertificate('own.example.com', { names: ['own.example.com', '*.own.example.com'] })
const other = createCertificate('other')
const files: TestFiles = { 'own.crt': own.cert, 'own.key': own.key, 'other.key': other.key, 'not.pem': 'hello' }

/** Findings without their place, for an upstream with more settings. */
function findInUpstream(settings: string, targets = '{ url: "https://a.example.com" }'): string[] {
  const text = documentWith('').replace(
    'targets: [{ url: "http://127.0.0.1:9001" }]',
    () => `targets: [${targets}], ${settings}`,
  )
  return findIssues({ 'a.yaml': text, ...files }).map(withoutPlace)
}

function findInGateway(settings: string): string[] {
  return findIssues({ 'a.yaml': documentWith(`gateway: { ${settings} }`), ...files }).map(withoutPlace)
}

const withoutPlace = (issue: string): string => issue.replace(/^\S+: /, '').replace('upstreams[0].', '')

describe('upstream settings that contradict each other or do nothing', () => {
  test.each([
    ['tls: { cert: "file:own.crt" }', 'tls: a client certificate needs both `cert` and `key`. Add the other one.'],
    [
      'tls: { cert: "file:own.crt", key: "file:other.key" }',
      'tls.key: the key does not belong to the certificate. Name the files of one pair.',
    ],
    [
      'tls: { ca: "file:not.pem" }',
      'tls.ca: this is not a certificate in PEM form. Write `file:` and the path of a PEM file.',
    ],
    [
      'tls: { cert: "file:own.crt", key: "file:not.pem" }',
      'tls.key: this is not a private key in PEM form. Write `file:` and the path of a PEM file without a passphrase.',
    ],
    [
      'tls: { verify: false, ca: "file:own.crt" }',
      'tls.ca: has no effect with `verify: false`. Remove one of the two.',
    ],
    [
      'headers: [{ name: Transfer-Encoding, value: x }]',
      'headers[0].name: transfer-encoding frames the message or belongs to the connection, so only Headgate writes it. Remove it.',
    ],
    [
      'headers: [{ name: x-request-id, value: x }]',
      'headers[0].name: x-request-id is written by Headgate itself after all policies. Remove it.',
    ],
  ])('%s', (settings, message) => expect(findInUpstream(settings)).toEqual([message]))

  test.each([
    ['{ url: "http://a:99999" }', 'targets[0].url: this is not a URL. Write http://host:port/path.'],
    [
      '{ url: "http://a:80", srv: true }',
      'targets[0].url: the port has no effect: SRV records give it. Remove the port.',
    ],
    [
      '{ url: "http://user:secret@a" }',
      'targets[0].url: must be a URL like http://host:port/path, without credentials, query or fragment.',
    ],
    [
      '{ url: "ftp://a" }',
      'targets[0].url: must be a URL like http://host:port/path, without credentials, query or fragment.',
    ],
  ])('target %s', (target, message) => expect(findInUpstream('protocol: http1', target)).toEqual([message]))

  test('are not found in what is right', () => {
    const tls = 'tls: { ca: "file:own.crt", cert: "file:own.crt", key: "file:own.key", serverName: x }'
    expect(findInUpstream(`${tls}, headers: [{ name: X-Key, value: "a\\tb" }]`)).toEqual([])
  })

  test('a header that could begin another one is refused', () => {
    expect(findInUpstream('headers: [{ name: x, value: "a\\r\\nb: c" }]')).toEqual([
      'headers[0].value: must be text without line breaks and control characters.',
    ])
  })
})

describe('gateway settings that contradict each other or do nothing', () => {
  const tls = (more: string): string =>
    `tls: { certificates: [{ cert: "file:own.crt", key: "file:own.key" }], ${more} }`

  test.each([
    ['trustedProxies: [10.0.0.0/33]', 'gateway.trustedProxies[0]: this is not an address or a network.'],
    ['trustedProxies: [example.com]', 'gateway.trustedProxies[0]: this is not an address or a network.'],
    ['forwardedField: forwarded', 'gateway.forwardedField: has no effect: no proxy is trusted.'],
    ['proxyProtocol: true', 'gateway.proxyProtocol: no proxy is trusted to send PROXY headers.'],
    [tls('clientCa: "file:own.crt"'), 'gateway.tls.clientCa: has no effect: clients are not asked for a certificate.'],
    [
      tls('clientCertificate: require'),
      'gateway.tls.clientCertificate: no authority is given to check certificates by.',
    ],
    ['tls: { certificates: [] }', 'gateway.tls.certificates: TLS needs a certificate.'],
    [
      'tls: { certificates: [{ cert: "file:own.crt", key: "file:other.key" }] }',
      'gateway.tls.certificates[0].key: the key does not',
    ],
  ])('%s', (settings, message) => expect(findInGateway(settings)[0]).toContain(message))

  test('a certificate is shown for the names in it unless others are given', () => {
    const names = (more: string): readonly string[] | undefined => {
      const text = documentWith(
        `gateway: { tls: { certificates: [{ cert: "file:own.crt", key: "file:own.key"${more} }] } }`,
      )
      return compileFiles({ 'a.yaml': text, ...files }).snapshot.listener.tls?.certificates[0]?.names
    }
    expect(names('')).toEqual(['own.example.com', '*.own.example.com'])
    expect(names(', names: [x.example.com]')).toEqual(['x.example.com'])
  })
})

describe('consumers', () => {
  const find = (consumers: string): string[] =>
    findIssues({ 'a.yaml': documentWith(`policies: [{ kind: key-auth }]\nconsumers:\n${consumers}`) }).map(withoutPlace)
  const sha256OfOne = '7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed'

  test('cannot share a key, given as it is or as its hash', () => {
    const issues = find(`  - { name: a, keys: [{ value: one }] }\n  - { name: b, keys: [{ hash: ${sha256OfOne} }] }`)
    expect(issues).toEqual([
      'consumers[1].keys[0]: the same key is given twice (the other one stands at a.yaml:8:23). Remove or change one of the two.',
    ])
    expect(issues.join()).not.toContain(sha256OfOne)
  })

  test('have keys with one name each, and times that are times', () => {
    expect(find('  - { name: a, keys: [{ value: one, name: key-2 }, { value: two }] }')[0]).toContain(
      'has the same name',
    )
    expect(find('  - { name: a, keys: [{ value: one, expiresAt: tomorrow }] }')[0]).toBe(
      'consumers[0].keys[0].expiresAt: must be a time such as 2027-01-31T00:00:00Z.',
    )
    expect(find('  - { name: a, keys: [{ hash: abc }] }')[0]).toContain(
      'must be the SHA-256 of the key as 64 hex digits',
    )
  })

  test('have one plan of a product', () => {
    const more = `  - { name: a, subscriptions: [{ product: p, plan: x }, { product: p, plan: y }] }
products: [{ name: p, apis: [a], plans: [{ name: x }, { name: y }] }]`
    expect(find(more)[0]).toContain('consumers[0].subscriptions[1]: the product is subscribed to twice')
  })
})

import { describe, expect, test } from 'vitest'
import { createCertificate } from '../../test/certificates.ts'
import { compileFiles, documentWith, findIssues } from '../../test/test-config.ts'

const authority = createCertificate('authority')
const shop = createCertificate('shop', { names: ['shop.test', '*.Shop.test'], issuer: authority })
const other = createCertificate('other', { names: ['other.test'] })
const files = {
  'shop.crt': shop.cert,
  'shop.key': shop.key,
  'other.crt': other.cert,
  'other.key': other.key,
  'turned.crt': authority.cert + shop.cert,
}

function issues(more: string): string[] {
  return findIssues({ 'a.yaml': documentWith(more), ...files })
}

describe('certificates of a document', () => {
  test('are those of the gateway that runs it, behind those of its settings', () => {
    const more = `gateway: { tls: { minVersion: TLSv1.3, certificates: [{ cert: file:other.crt, key: file:other.key }] } }
certificates: [{ name: shop, chain: file:shop.crt, key: file:shop.key }]`
    const { tls } = compileFiles({ 'a.yaml': documentWith(more), ...files }).snapshot.listener
    expect(tls).toMatchObject({
      minVersion: 'TLSv1.3',
      certificates: [
        { names: ['other.test'], cert: other.cert.trimEnd() },
        { names: ['shop.test', '*.shop.test'], cert: shop.cert.trimEnd(), key: shop.key.trimEnd() },
      ],
    })
  })

  test('are enough to terminate TLS, for the names that are asked for', () => {
    const more = 'certificates: [{ name: a, chain: file:shop.crt, key: file:shop.key, names: [A.shop.test] }]'
    const { tls } = compileFiles({ 'a.yaml': documentWith(more), ...files }).snapshot.listener
    expect(tls).toMatchObject({ clientCertificate: 'none', certificates: [{ names: ['a.shop.test'] }] })
  })

  test.each([
    ['chain: file:other.crt, key: file:shop.key', 'certificates[0].key: the key does not belong to the certificate.'],
    ['chain: file:shop.key, key: file:shop.key', 'certificates[0].chain: no certificate in PEM form stands in it.'],
    ['chain: file:turned.crt, key: file:shop.key', 'certificates[0].chain: certificate 2 did not issue the one before'],
    ['chain: file:shop.crt, key: none', 'certificates[0].key: this is not a private key in PEM form.'],
    ['chain: file:shop.crt, key: file:shop.key, names: [other.test]', 'certificates[0].names[0]: the certificate is'],
  ])('with %s are refused', (keys, told) => {
    expect(issues(`certificates: [{ name: a, ${keys} }]`)).toEqual([expect.stringContaining(told)])
  })

  test('with one name twice are refused', () => {
    const each = '{ name: a, chain: file:shop.crt, key: file:shop.key }'
    expect(issues(`certificates: [${each}, ${each}]`)[0]).toContain('another certificate has the same name')
  })
})

describe('what only a control plane does', () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  const hook = `webhooks: [{ name: ci, url: "https://ci.example.com/hook", secret: "${secret}" }]`

  test('is refused by a gateway that runs from the file: it sends no events', () => {
    expect(issues(hook)).toEqual([
      'a.yaml:6:1: webhooks: webhooks have no effect: a gateway that runs from a file sends none. ' +
        'Remove them, or apply the file to a control plane (`headgate apply`), which sends events.',
    ])
    expect(issues('webhooks: []')).toEqual([])
  })

  test('is refused of secrets, too: a reference to one would else be taken for the secret', () => {
    const certificate = 'certificates: [{ name: a, chain: file:shop.crt, key: "${secret:shop-key}" }]'
    expect(issues(certificate)).toEqual([
      expect.stringMatching(/^a\.yaml:6:54: \$\{secret:shop-key\} is a secret of a control plane, and a gateway/),
    ])
  })

  test('is right in a file for a control plane', () => {
    const more = `${hook}\ncertificates: [{ name: a, chain: file:shop.crt, key: "\${secret:shop-key}" }]`
    const options = { audience: 'control' } as const
    expect(findIssues({ 'a.yaml': documentWith(more), ...files }, options)).toEqual([])
    const wrong = more.replace('https:', 'ftp:').replace('shop.crt', 'shop.key')
    expect(findIssues({ 'a.yaml': documentWith(wrong), ...files }, options)).toEqual([
      expect.stringContaining('webhooks[0].url'),
    ])
  })
})

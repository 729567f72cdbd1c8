import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { testGateway } from './test-gateway.ts'

const consumers = { consumers: [{ name: 'acme', keys: [{ value: 'acme-key' }], roles: ['partner'] }] }
const app = 'https://app.example.com'
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')
const token = (issuer: string): string => {
  const claims = { iss: issuer, aud: 'books', sub: 'u', exp: Date.now() / 1000 + 60, scope: 'books:read' }
  const input = `${encode({ alg: 'ES256', kid: 'k' })}.${encode(claims)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key: keys.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

/** An issuer that publishes its key set on a real socket. */
async function startIssuer(respond = 200): Promise<{ url: string; asked: () => number }> {
  let asked = 0
  const text = JSON.stringify({ keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: 'k' }] })
  const server = createServer((_, response) => {
    asked++
    response.writeHead(respond, { 'cache-control': 'max-age=600', location: '/elsewhere' }).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/keys`, asked: () => asked }
}

test('a key lets in, goes no further, and a token of a fetched key set does as well', async () => {
  const issuer = await startIssuer()
  const jwt = { jwksUrl: issuer.url, issuer: issuer.url, audiences: ['books'] }
  const anyOf = { kind: 'any-of', config: { policies: [{ kind: 'key-auth' }, { kind: 'jwt', config: jwt }] } }
  const gateway = await testGateway({ policies: [anyOf], document: consumers })

  const refused = await gateway.inject('GET /')
  expect(refused.status).toBe(401)
  expect(refused.headers['www-authenticate']).toBe(
    'ApiKey realm="headgate", header="x-api-key", Bearer realm="headgate"',
  )

  expect((await gateway.inject('GET /', { headers: { 'x-api-key': 'acme-key' } })).status).toBe(200)
  const bearer = { headers: { authorization: `Bearer ${token(issuer.url)}` } }
  expect((await gateway.inject('GET /', bearer)).status).toBe(200)
  expect((await gateway.inject('GET /', bearer)).status).toBe(200)
  expect(issuer.asked()).toBe(1)
  expect(gateway.seen).toHaveLength(3)
  for (const { headers } of gateway.seen) {
    expect(headers['x-api-key']).toBeUndefined()
    expect(headers.authorization).toBeUndefined()
  }
  const records = await gateway.recorded(4)
  expect(records.map(({ problem, consumer }) => [problem, consumer])).toEqual([
    ['any_of.missing', ''],
    ['', 'acme'],
    ['', `${issuer.url}#u`],
    ['', `${issuer.url}#u`],
  ])
})

test('a redirect of the key set is not followed, and nobody is let in unverified', async () => {
  const issuer = await startIssuer(302)
  const jwt = { kind: 'jwt', config: { jwksUrl: issuer.url, issuer: issuer.url, audiences: ['books'] } }
  const gateway = await testGateway({ policies: [jwt] })
  const { status, headers } = await gateway.inject('GET /', {
    headers: { authorization: `Bearer ${token(issuer.url)}` },
  })
  expect(status).toBe(503)
  expect(headers['retry-after']).toBe('5')
  expect(gateway.seen).toEqual([])
  expect(gateway.logged.map(({ message }) => message)).toContain('The key set of an issuer could not be fetched.')
})

test('a preflight is answered before authentication, and a refusal can be read by the page', async () => {
  const cors = { kind: 'cors', config: { origins: [app], credentials: true } }
  const gateway = await testGateway({ policies: [cors, { kind: 'key-auth' }], document: consumers })
  const preflight = await gateway.inject('OPTIONS /', {
    headers: { origin: app, 'access-control-request-method': 'PUT' },
  })
  expect(preflight.status).toBe(204)
  expect(preflight.headers['access-control-allow-origin']).toBe(app)
  const refused = await gateway.inject('GET /', { headers: { origin: app } })
  expect(refused.status).toBe(401)
  expect(refused.headers['access-control-allow-origin']).toBe(app)
  expect(gateway.seen).toEqual([])
})

test('roles decide behind the key, and an address before it', async () => {
  const policies = [
    { kind: 'ip-filter', config: { allow: ['127.0.0.0/8'] } },
    { kind: 'key-auth', config: { optional: true } },
    { kind: 'access', when: "request.method != 'GET'", config: { anyRole: ['editor'] } },
  ]
  const gateway = await testGateway({ policies, document: consumers })
  const headers = { 'x-api-key': 'acme-key' }
  expect((await gateway.inject('GET /')).status).toBe(200)
  expect((await gateway.inject('DELETE /')).status).toBe(401)
  expect((await gateway.inject('DELETE /', { headers })).status).toBe(403)
  await gateway.reload({ policies: [{ kind: 'ip-filter', config: { deny: ['127.0.0.0/8'] } }] })
  expect((await gateway.inject('GET /', { headers })).status).toBe(403)
})

test('a condition that cannot be told opens no door', async () => {
  const policies = [{ kind: 'key-auth', when: 'int(request.query.level) < 3' }]
  const gateway = await testGateway({ policies, document: consumers })
  expect((await gateway.inject('GET /?level=5')).status).toBe(200)
  expect((await gateway.inject('GET /?level=1')).status).toBe(401)
  expect((await gateway.inject('GET /?level=x')).status).toBe(500)
  expect((await gateway.inject('GET /')).status).toBe(500)
  expect(gateway.seen).toHaveLength(1)
})

import { createServer, type RequestListener } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { FetchBounds } from './fetch-file.ts'
import { isPublicAddress } from './public-address.ts'
import { createRemoteFetch } from './remote-fetch.ts'

const open = createRemoteFetch({ allowPrivateAddresses: true })
const guarded = createRemoteFetch({ allowPrivateAddresses: false })
const bounds: FetchBounds = { maxBytes: 1000, timeoutMs: 10_000, allows: () => true }

/** A real server; gives its address. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

async function ruleOf(fetched: Promise<unknown>): Promise<unknown> {
  return fetched.then(
    () => 'fetched',
    (error: { rule?: { id: string } }) => error.rule?.id,
  )
}

test('a file is fetched, and redirects are followed to where it is', async () => {
  const url = await serve(({ url: path }, response) => {
    if (path === '/file') response.end('text')
    else response.writeHead(302, { location: '/file' }).end()
  })
  const { url: at, bytes } = await open(new URL('/moved', url), bounds)
  expect([at.pathname, Buffer.from(bytes).toString()]).toEqual(['/file', 'text'])
})

describe('what is refused', () => {
  test.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://[::1]/',
    'http://[::ffff:10.0.0.1]/',
    'http://169.254.169.254/',
    'http://localhost:1/',
  ])('%s, before anything is sent', async (url) =>
    expect(await ruleOf(guarded(new URL(url), bounds))).toBe('reference.address'),
  )

  test('a redirect to where nothing may be fetched from', async () => {
    const url = await serve((_, response) =>
      response.writeHead(302, { location: 'http://elsewhere.example.com/' }).end(),
    )
    const allows = ({ host }: URL): boolean => host !== 'elsewhere.example.com'
    expect(await ruleOf(open(new URL(url), { ...bounds, allows }))).toBe('reference.elsewhere')
  })

  test('redirects without end, a status that is no success, credentials and other schemes', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/no') response.writeHead(404).end()
      else response.writeHead(307, { location: '/again' }).end()
    })
    const rules = [url, `${url}/no`, url.replace('//', '//name:word@'), 'file:///etc/passwd'].map((each) =>
      ruleOf(open(new URL(each), bounds)),
    )
    expect(await Promise.all(rules)).toEqual([
      'reference.unavailable',
      'reference.unavailable',
      'reference.unavailable',
      'reference.elsewhere',
    ])
  })

  test('more bytes than allowed, also when nobody said how many come', async () => {
    const url = await serve((_, response) => {
      response.write('x'.repeat(600))
      response.end('x'.repeat(600))
    })
    expect(await ruleOf(open(new URL(url), bounds))).toBe('reference.bounds')
  })

  test('a server that never answers', async () => {
    const url = await serve(() => undefined)
    expect(await ruleOf(open(new URL(url), { ...bounds, timeoutMs: 50 }))).toBe('reference.bounds')
  })
})

test.each([
  ['8.8.8.8', true],
  ['2606:4700::1111', true],
  ['10.1.2.3', false],
  ['172.16.0.1', false],
  ['192.168.0.1', false],
  ['100.64.0.1', false],
  ['127.0.0.1', false],
  ['169.254.169.254', false],
  ['0.0.0.0', false],
  ['224.0.0.1', false],
  ['::', false],
  ['::1', false],
  ['fe80::1', false],
  ['fd00::1', false],
  ['::ffff:127.0.0.1', false],
  ['64:ff9b::7f00:1', false],
  ['2002:7f00:1::', false],
  ['::7f00:1', false],
  ['4000::1', false],
  ['no address', false],
])('%s is public: %s', (address, isPublic) => expect(isPublicAddress(address)).toBe(isPublic))

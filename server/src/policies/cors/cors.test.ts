import { describe, expect, test } from 'vitest'
import { createReply } from '../../kernel/exchange.ts'
import { defineProblem } from '../../kernel/problem.ts'
import { testExchange } from '../../../test/test-exchange.ts'
import { checkPolicy, codeOf, runPolicy, type PolicyRun, type PolicyRunOptions } from '../../../test/test-services.ts'
import { cors } from './cors.ts'

const app = 'https://app.example.com'
const preflight = (config: unknown, headers: Record<string, string> = {}): Promise<PolicyRun> =>
  runPolicy(
    cors,
    config,
    testExchange({ method: 'OPTIONS', headers: { origin: app, 'access-control-request-method': 'PUT', ...headers } }),
  )
const get = (config: unknown, headers: Record<string, string>, options?: PolicyRunOptions): Promise<PolicyRun> =>
  runPolicy(cors, config, testExchange({ headers }), options)

describe('a preflight', () => {
  test('of an allowed origin is answered with all that the browser asks', async () => {
    const { reply } = await preflight(
      { origins: [app], methods: ['GET', 'PUT'], requestHeaders: ['content-type', 'x-api-key'], maxAgeSeconds: 60 },
      { 'access-control-request-headers': 'content-type,x-other' },
    )
    expect(reply.status).toBe(204)
    expect(Object.fromEntries(reply.fields.names.map((name, at) => [name, reply.fields.values[at]]))).toEqual({
      'access-control-allow-origin': app,
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'content-type, x-api-key',
      'access-control-max-age': '60',
      vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    })
  })

  test('of any headers gets the names back, because `*` does not cover authorization', async () => {
    const { reply } = await preflight({ origins: [app] }, { 'access-control-request-headers': 'authorization,x-a' })
    expect(reply.fields.get('access-control-allow-headers')).toBe('authorization,x-a')
  })

  test('cannot make us write what is no list of names', async () => {
    const { reply } = await preflight({ origins: [app] }, { 'access-control-request-headers': 'a"<script>' })
    expect(reply.fields.has('access-control-allow-headers')).toBe(false)
  })

  test('of another origin is refused without a word that a browser would take', async () => {
    const run = await preflight({ origins: ['https://other.example.com'] })
    expect(codeOf(run)).toBe('cors.origin_not_allowed')
    expect(run.reply.fields.names.filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  test('asks for a private network only where that is allowed', async () => {
    const headers = { 'access-control-request-private-network': 'true' }
    const name = 'access-control-allow-private-network'
    expect((await preflight({ origins: [app] }, headers)).reply.fields.has(name)).toBe(false)
    expect((await preflight({ origins: [app], privateNetwork: true }, headers)).reply.fields.get(name)).toBe('true')
  })

  test('is told from an OPTIONS request for the upstream', async () => {
    const { answer } = await runPolicy(
      cors,
      { origins: ['*'] },
      testExchange({ method: 'OPTIONS', headers: { origin: app } }),
    )
    expect(answer).toBeUndefined()
  })

  test('runs before authentication', () => {
    expect(cors.answersPreflight).toBe(true)
  })
})

describe('an answer', () => {
  test('to an allowed origin may be read by it', async () => {
    const { reply } = await get(
      { origins: [app], credentials: true, exposedHeaders: ['x-total', 'etag'] },
      { origin: app },
    )
    expect(reply.fields.get('access-control-allow-origin')).toBe(app)
    expect(reply.fields.get('access-control-allow-credentials')).toBe('true')
    expect(reply.fields.get('access-control-expose-headers')).toBe('x-total, etag')
  })

  test('to another origin goes through and cannot be read', async () => {
    const { reply } = await get({ origins: [app] }, { origin: 'https://evil.example' })
    expect(reply.status).toBe(200)
    expect(reply.fields.has('access-control-allow-origin')).toBe(false)
  })

  test('always varies by origin, for caches, and says so once', async () => {
    const upstream = (vary: string): PolicyRunOptions => ({ upstream: () => createReply(200, { vary }) })
    expect((await get({ origins: [app] }, {})).reply.fields.joined('vary')).toBe('Origin')
    expect((await get({ origins: ['*'] }, {}, upstream('accept'))).reply.fields.joined('vary')).toBe('accept, Origin')
    expect((await get({ origins: [app] }, {}, upstream('Accept, ORIGIN'))).reply.fields.joined('vary')).toBe(
      'Accept, ORIGIN',
    )
    expect((await get({ origins: [app] }, {}, upstream('*'))).reply.fields.joined('vary')).toBe('*')
  })

  test('that is a problem may be read too', async () => {
    const down = defineProblem({ code: 'test.down', status: 503, title: 'Down', blame: 'upstream', remedy: 'Wait.' })
    const { reply } = await get({ origins: [app] }, { origin: app }, { upstream: () => down() })
    expect(reply.status).toBe(503)
    expect(reply.fields.get('access-control-allow-origin')).toBe(app)
  })

  test('has our word about CORS and not the one of the upstream', async () => {
    const headers = { 'access-control-allow-origin': '*', 'access-control-allow-credentials': 'true' }
    const options = { upstream: () => createReply(200, headers) }
    const theirs = await get({ origins: [app] }, { origin: 'https://evil.example' }, options)
    expect(theirs.reply.fields.names).toEqual(['vary'])
    const ours = await get({ origins: [app] }, { origin: app }, options)
    expect(ours.reply.fields.joined('access-control-allow-origin')).toBe(app)
    expect(ours.reply.fields.has('access-control-allow-credentials')).toBe(false)
  })
})

describe('origins', () => {
  const allows = async (origins: string[], origin: string): Promise<boolean> =>
    (await get({ origins }, { origin })).reply.fields.has('access-control-allow-origin')

  test.each(['https://a.example.com', 'https://a.b.example.com'])('a wildcard allows %s', async (origin) => {
    expect(await allows(['https://*.example.com'], origin)).toBe(true)
  })

  test.each([
    'https://example.com',
    'https://.example.com',
    'https://evilexample.com',
    'https://example.com.evil.net',
    'http://a.example.com',
    'https://a.example.com:8443',
    'https://evil.net/.example.com',
    'https://evil.net#.example.com',
    'https://evil.net:80@a.example.com',
    'https://A.example.com',
    'null',
  ])('a wildcard does not allow %s', async (origin) => {
    expect(await allows(['https://*.example.com'], origin)).toBe(false)
  })

  test('an exact origin is nothing but itself', async () => {
    expect(await allows([app], app)).toBe(true)
    for (const origin of [`${app}:443`, `${app}/`, 'https://app.example.co', 'null', '']) {
      expect(await allows([app], origin), origin).toBe(false)
    }
  })

  test('`*` is answered as such, and `null` only when it was named', async () => {
    expect((await get({ origins: ['*'] }, { origin: app })).reply.fields.get('access-control-allow-origin')).toBe('*')
    expect(await allows(['null'], 'null')).toBe(true)
  })
})

test('what browsers would refuse or anybody could abuse is refused in the configuration', () => {
  expect(checkPolicy(cors, { origins: ['*'], credentials: true })[0]).toContain('credentials cannot go together')
  expect(checkPolicy(cors, { origins: ['null'], credentials: true })[0]).toContain('credentials cannot go together')
  expect(checkPolicy(cors, { origins: ['*', app] })[0]).toContain('leave the others out')
  expect(checkPolicy(cors, { origins: [`${app}/`] })[0]).toContain('is no origin')
  expect(checkPolicy(cors, { origins: ['https://App.example.com'] })[0]).toContain('lower case')
  expect(checkPolicy(cors, { origins: [`${app}:443`] })[0]).toContain(`write ${app}`)
  expect(checkPolicy(cors, { origins: ['https://*.com'] })[0]).toContain('top-level domain')
  expect(checkPolicy(cors, { origins: ['https://a.*.com'] })[0]).toContain('is no origin')
  expect(checkPolicy(cors, { origins: [app], requestHeaders: ['*', 'x-a'] })[0]).toContain('every header')
  expect(checkPolicy(cors, { origins: [app], methods: ['OPTIONS'] })[0]).toContain('preflight itself')
  expect(
    checkPolicy(cors, { origins: ['chrome-extension://abcdef', 'http://[::1]:3000', 'http://localhost:3000'] }),
  ).toEqual([])
})

test.each(cors.examples.map(({ title, config }) => [title, config]))('example: %s', async (_, config) => {
  expect(checkPolicy(cors, config)).toEqual([])
  expect((await preflight(config)).reply.status).toBe(204)
})

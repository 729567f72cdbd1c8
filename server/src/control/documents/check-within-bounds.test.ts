import { expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../../kernel/json.ts'
import { testControl, type Answered, type TestControl } from '../../../test/test-control.ts'
import { inChildTurn } from './in-child-turn.ts'
import { MOST_CHARS_AT_ONCE } from './in-review-child.ts'

const AT = '/workspaces/default'
const VERSION = `${AT}/apis/books/versions/1`
const anyVersion = { 'if-match': '*' }

/** Large ones are worked on in a process of their own. */
const documentOf = (isLarge: boolean): JsonObject => ({
  openapi: '3.1.0',
  info: { title: 'Books', version: '1', description: isLarge ? 'x'.repeat(MOST_CHARS_AT_ONCE) : 'x' },
  paths: { '/books': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } },
})

const settingsWith = (limit: JsonValue): JsonObject => {
  const policies = [{ kind: 'request-size', config: { maxBodyBytes: limit } }]
  const routes = [{ name: 'list', policies: [{ kind: 'cors', config: { origins: ['*'] } }] }]
  return { name: '1', basePath: '/books', upstream: 'books', policies, routes }
}

const rulesetOf = (isLarge: boolean, check: string): string =>
  `description: ${'x'.repeat(isLarge ? MOST_CHARS_AT_ONCE : 1)}\n` +
  `rules: { own: { given: "$.paths", then: { function: ${check} } } }`

async function start(isLarge: boolean): Promise<TestControl> {
  const control = await testControl()
  await control.done('POST', `${AT}/upstreams`, { name: 'books', targets: [{ url: 'http://books.test' }] })
  await control.done('POST', `${AT}/apis`, { name: 'books' })
  const body = { settings: settingsWith(100), document: documentOf(isLarge) }
  await control.done('POST', `${AT}/apis/books/versions`, body)
  await control.done('POST', `${VERSION}/revisions`)
  return control
}

const effective = ({ call }: TestControl, route: string): Promise<Answered> =>
  call('GET', `${VERSION}/effective-policies?shows=draft&route=${route}`)
const replace = ({ call }: TestControl, limit: JsonValue): Promise<Answered> =>
  call('PUT', VERSION, { body: { settings: settingsWith(limit) }, headers: anyVersion })
const setRuleset = ({ call }: TestControl, ruleset: string): Promise<Answered> =>
  call('PUT', AT, { body: { title: '', settings: { policies: [], lint: { ruleset } } }, headers: anyVersion })

/** What control says of a document or a ruleset of that size. */
async function answers(isLarge: boolean): Promise<unknown> {
  const control = await start(isLarge)
  const all = [
    await replace(control, 200),
    await replace(control, 'many'),
    await control.call('POST', `${VERSION}/revisions`),
    await effective(control, 'list'),
    await effective(control, 'nothing'),
    await setRuleset(control, rulesetOf(isLarge, 'unheard')),
    await setRuleset(control, rulesetOf(isLarge, 'truthy')),
  ]
  return all.map(({ status, body: { code, detail, errors, policies, report } }) => {
    return { status, code, detail, errors, policies, routes: (report as JsonObject | undefined)?.['routes'] }
  })
}

test('a large document is answered as a small one is, right or wrong', async () => {
  const small = await answers(false)
  expect(small).toMatchObject([
    { status: 200 },
    { status: 422, code: 'admin.invalid' },
    { status: 201, routes: 1 },
    {
      status: 200,
      policies: [
        { kind: 'request-size', from: 'api' },
        { kind: 'cors', from: 'route' },
      ],
    },
    { status: 404, code: 'admin.not_found' },
    { status: 422, code: 'documents.ruleset_refused' },
    { status: 200 },
  ])
  expect(await answers(true)).toEqual(small)
})

test('large documents are checked in their turn, so that nobody else waits for them; small ones at once', async () => {
  const [large, small] = [await start(true), await start(false)]
  await large.done('PUT', VERSION, { settings: settingsWith(1) }, anyVersion)
  const { promise, resolve } = Promise.withResolvers<void>()
  const others = Array.from({ length: 34 }, () => inChildTurn(() => promise))
  const apply = ({ call }: TestControl, isLarge: boolean): Promise<Answered> => {
    const api = { ...settingsWith(300), name: 'books', version: '1', spec: 'books.json' }
    const files = { 'books.json': JSON.stringify(documentOf(isLarge)) }
    return call('POST', `${AT}/apply`, { body: { document: { headgate: 1, apis: [api] }, files } })
  }
  const ask = async (control: TestControl, isLarge: boolean): Promise<number[]> => {
    const all = [
      await control.call('POST', `${VERSION}/revisions`),
      await replace(control, 200),
      await effective(control, 'list'),
      await apply(control, isLarge),
      await setRuleset(control, rulesetOf(isLarge, 'truthy')),
    ]
    return all.map(({ status }) => status)
  }
  expect(await ask(large, true)).toEqual([503, 503, 503, 503, 503])
  expect(await ask(small, false)).toEqual([200, 200, 200, 200, 200])
  resolve()
  await Promise.all(others)
  expect(await ask(large, true)).toEqual([201, 200, 200, 200, 200])
})

/** Many things, each of which is small; the last API and the last consumer may not be beside others. */
function manyThings(isFaulty: boolean): JsonObject {
  const names = Array.from({ length: 1_000 }, (_, at) => `name-${at}`)
  const routes = [{ name: 'all', match: { path: '/*' } }]
  const apis = names.map((name) => ({ name, basePath: `/${name}`, upstream: 'books', routes }))
  const consumers = names.map((name) => ({ name, keys: [{ value: `key of ${name}` }] }))
  if (!isFaulty) return { headgate: 1, apis, consumers }
  const rival = { name: 'rival', basePath: '/name-7', upstream: 'books', routes }
  const twice = { name: 'twice', keys: [{ value: 'key of name-7' }] }
  return { headgate: 1, apis: [...apis, rival], consumers: [...consumers, twice] }
}

test('a large document of small things is checked without a process of its own, and answered as in one', async () => {
  const control = await testControl()
  await control.done('POST', `${AT}/upstreams`, { name: 'books', targets: [{ url: 'http://books.test' }] })
  const { promise, resolve } = Promise.withResolvers<void>()
  const others = Array.from({ length: 34 }, () => inChildTurn(() => promise))
  // A thing that is large by itself has the whole document checked in the other process.
  const routes = Array.from({ length: 2_000 }, (_, at) => ({ name: `route-${at}`, match: { path: `/path-${at}` } }))
  expect(JSON.stringify(manyThings(false)).length).toBeGreaterThan(MOST_CHARS_AT_ONCE)
  expect(JSON.stringify(routes).length).toBeGreaterThan(MOST_CHARS_AT_ONCE)
  const answer = async (isFaulty: boolean, isLarge: boolean): Promise<unknown> => {
    const { apis = [], ...rest } = manyThings(isFaulty)
    const [first, ...others] = apis as readonly JsonObject[]
    const document = { ...rest, apis: [isLarge ? { ...first, routes } : { ...first }, ...others] }
    const { status, body } = await control.call('POST', `${AT}/apply?dryRun=true`, { body: { document } })
    return { status, code: body['code'], errors: body['errors'] }
  }
  const here = [await answer(false, false), await answer(true, false)]
  const errors = [{ pointer: 'consumers[1000].keys[0]' }, { pointer: 'apis[1000].routes[0]' }]
  expect(here).toMatchObject([{ status: 200 }, { status: 422, errors }])
  expect(await answer(false, true)).toMatchObject({ status: 503 })
  resolve()
  await Promise.all(others)
  expect([await answer(false, true), await answer(true, true)]).toEqual(here)
})

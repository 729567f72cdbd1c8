import { createServer } from 'node:http'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

const open = (paths: object, more: object = {}) => ({
  openapi: '3.1.0',
  info: { title: 'Books', version: '1.0.0' },
  servers: [{ url: 'http://books.example' }],
  paths,
  ...more,
})
const books = open({ '/books': { get: { operationId: 'listBooks', parameters: [{ in: 'query', name: 'q' }] } } })
const fewer = open({ '/books': { get: { operationId: 'listBooks' } } })
const swagger = {
  swagger: '2.0',
  info: { title: 'Old', version: '1' },
  host: 'old.example',
  paths: { '/a': { get: {} } },
}
const ruleset =
  'rules: { has-summary: { given: "$.paths[*][*]", then: { field: summary, function: truthy }, severity: error } }'

const IMPORTS = '/workspaces/default/imports'

async function settle(control: TestControl, settings: object): Promise<void> {
  const { headers } = await control.call('GET', '/workspaces/default')
  const body = { title: '', settings: { policies: [], ...settings } }
  await control.done('PUT', '/workspaces/default', body, { 'if-match': headers.get('etag') ?? '' })
}

async function replaceDraft(control: TestControl, document: object): Promise<void> {
  const path = '/workspaces/default/apis/books/versions/1.0.0'
  const { headers, body } = await control.call('GET', path)
  await control.done('PUT', path, { settings: body['settings'], document }, { 'if-match': headers.get('etag') ?? '' })
}

describeOnEveryStore('documents', () => {
  test('a revision keeps what the rules found and what changed since the one before', async () => {
    const control = await testControl()
    expect(await control.done('POST', IMPORTS, { document: books })).toMatchObject({ report: { routes: 1 } })
    await replaceDraft(control, fewer)
    const revisions = '/workspaces/default/apis/books/versions/1.0.0/revisions'
    const report = {
      lint: { findings: expect.arrayContaining([expect.objectContaining({ rule: expect.any(String) })]) },
      changes: { against: 1, breaking: 1, list: [{ rule: 'parameter.removed' }] },
    }
    expect(await control.done('POST', revisions)).toMatchObject({ number: 2, report })
    expect(await control.done('GET', `${revisions}/2`)).toMatchObject({ report })
  })

  test('a breaking change is refused where the workspace says so, unless a reason is given, which the audit keeps', async () => {
    const control = await testControl()
    await settle(control, { breakingChanges: 'refuse' })
    await control.done('POST', IMPORTS, { document: books })
    const refused = await control.call('POST', IMPORTS, { body: { document: fewer } })
    expect(refused).toMatchObject({
      status: 409,
      body: { code: 'documents.breaking', errors: [{ rule: 'parameter.removed' }] },
    })
    await control.done('POST', IMPORTS, { document: fewer, allowBreaking: { reason: 'nobody calls it' } })
    const audit = await control.done('GET', '/workspaces/default/audit')
    expect(JSON.stringify(audit)).toContain('nobody calls it')
  })

  test('a ruleset of the workspace refuses what its settings say, with rule, pointer and remedy', async () => {
    const control = await testControl()
    await settle(control, { lint: { ruleset, refuseAt: 'error' } })
    expect(await control.call('POST', IMPORTS, { body: { document: books } })).toMatchObject({
      status: 422,
      body: {
        code: 'documents.lint_refused',
        errors: [{ rule: 'has-summary', pointer: '#/paths/~1books/get/summary', remedy: expect.any(String) }],
      },
    })
    await settle(control, { lint: { ruleset, refuseAt: 'off' } })
    expect(await control.done('POST', IMPORTS, { document: books })).toMatchObject({ report: { lint: { errors: 1 } } })
  })

  test('a document that cannot be imported is refused with rule, pointer and remedy, wherever it is sent', async () => {
    const control = await testControl()
    const document = open({ 'a{': { get: {} } })
    const wanted = {
      status: 422,
      body: { code: 'documents.refused', errors: [{ rule: 'path.start', pointer: '#/paths/a{' }] },
    }
    expect(await control.call('POST', IMPORTS, { body: { document } })).toMatchObject(wanted)
    await control.done('POST', '/workspaces/default/apis', { name: 'books' })
    const body = { settings: { name: '1' }, document }
    expect(await control.call('POST', '/workspaces/default/apis/books/versions', { body })).toMatchObject(wanted)
    const apply = {
      document: { headgate: 1, apis: [{ name: 'a', spec: 'a.json' }] },
      files: { 'a.json': JSON.stringify(document) },
    }
    expect(await control.call('POST', '/workspaces/default/apply', { body: apply })).toMatchObject(wanted)
  })

  test('Swagger 2.0 is upgraded', async () => {
    const control = await testControl()
    expect(await control.done('POST', IMPORTS, { document: swagger })).toMatchObject({ api: 'old', routes: 1 })
  })
})

test('a document at an address is fetched with the files beside it, from this machine only where that is allowed', async () => {
  const files: Readonly<Record<string, object>> = {
    '/spec.json': open({ '/a': { $ref: 'a.json' } }),
    '/a.json': { get: { operationId: 'a' } },
  }
  const server = createServer(({ url = '' }, response) => response.end(JSON.stringify(files[url])))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/spec.json`
  const closed = await testControl()
  const refused = { status: 422, body: { code: 'documents.refused', errors: [{ rule: 'reference.address' }] } }
  expect(await closed.call('POST', IMPORTS, { body: { url } })).toMatchObject(refused)
  const opened = await testControl({ allowPrivateAddresses: true })
  expect(await opened.done('POST', IMPORTS, { url })).toMatchObject({ api: 'books', routes: 1 })
})

test('a ruleset that cannot be used is refused when it is set', async () => {
  const control = await testControl()
  const { headers } = await control.call('GET', '/workspaces/default')
  const body = {
    settings: { policies: [], lint: { ruleset: 'rules: { x: { given: "$", then: { function: nope } } }' } },
  }
  const ifMatch = { 'if-match': headers.get('etag') ?? '' }
  expect(await control.call('PUT', '/workspaces/default', { body, headers: ifMatch })).toMatchObject({
    status: 422,
    body: { code: 'documents.ruleset_refused', errors: [{ pointer: '#/rules/x' }] },
  })
})

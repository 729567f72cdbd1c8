import { expect, test } from 'vitest'
import { isJsonObject, type JsonValue } from '../../kernel/json.ts'
import { createPerson } from '../../../test/control-people.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

const document = {
  openapi: '3.1.0',
  info: { title: 'Books', version: '1' },
  paths: { '/books': { get: { operationId: 'list', responses: { 200: { description: 'ok' } } } } },
}

interface Served {
  readonly workspace: string
  readonly api: string
  readonly visibility?: string
}

async function serve({ done }: TestControl, { workspace, api, visibility }: Served): Promise<void> {
  const at = `/workspaces/${workspace}`
  const facts = visibility === undefined ? {} : { visibility }
  await done('POST', `${at}/apis`, { name: api, title: `The ${api}`, team: 'shop', labels: { tier: 'gold' }, ...facts })
  await done('POST', `${at}/upstreams`, { name: api, targets: [{ url: 'http://127.0.0.1:9001' }] })
  const settings = { name: '1', basePath: `/${api}`, host: 'api.example.com', upstream: api }
  await done('POST', `${at}/apis/${api}/versions`, { settings, document })
  await done('POST', `${at}/apis/${api}/versions/1/revisions`)
  await done('POST', `${at}/deployments`, { api, version: '1' })
}

async function apisOf({ call }: TestControl, path: string, token?: string): Promise<unknown[]> {
  const { body } = await call('GET', path, token === undefined ? {} : { token })
  const { items } = body
  const list: readonly JsonValue[] = Array.isArray(items) ? items : []
  return list.map((each) => (isJsonObject(each) ? each['api'] : each))
}

describeOnEveryStore('the catalogue', (store) => {
  test('has an entry for each version that is live, put there by publishing it', async () => {
    const control = await testControl({ database: await store.open() })
    await serve(control, { workspace: 'default', api: 'books', visibility: 'workspace' })
    await control.done('POST', '/workspaces/default/apis', { name: 'draft' })
    const { items } = await control.done('GET', '/workspaces/default/catalogue')
    expect(items).toEqual([
      {
        workspace: 'default',
        api: 'books',
        title: 'The books',
        summary: '',
        owner: '',
        team: 'shop',
        labels: { tier: 'gold' },
        visibility: 'workspace',
        version: '1',
        state: 'published',
        revision: 1,
        documentHash: expect.stringMatching(/^[0-9a-f]{64}$/),
        servers: ['https://api.example.com/books'],
      },
    ])
    const sunset = { to: 'deprecated', sunsetAt: '2030-01-01T00:00:00Z', successor: '/v2' }
    await control.done('POST', '/workspaces/default/apis/books/versions/1/transitions', sunset)
    const after = await control.done('GET', '/workspaces/default/catalogue')
    expect(after['items']).toMatchObject([
      { state: 'deprecated', sunsetAt: '2030-01-01T00:00:00.000Z', successor: '/v2' },
    ])
  })

  test('shows each caller what they may find, page by page', async () => {
    const control = await testControl({ database: await store.open() })
    for (const name of ['red', 'blue']) await control.done('POST', '/workspaces', { name })
    for (const [workspace, visibility] of [
      ['red', 'public'],
      ['red', 'workspace'],
      ['red', undefined],
      ['blue', 'public'],
      ['blue', 'workspace'],
    ] as const) {
      await serve(control, {
        workspace,
        api: `${workspace}-${visibility ?? 'private'}`,
        ...(visibility && { visibility }),
      })
    }
    const { token: developer } = await createPerson(control, 'api-developer', 'red')
    const { token: viewer } = await createPerson(control, 'viewer', 'red')
    const own = '/workspaces/red/catalogue'
    expect(await apisOf(control, own, developer)).toEqual(['red-private', 'red-public', 'red-workspace'])
    expect(await apisOf(control, own, viewer)).toEqual(['red-public', 'red-workspace'])
    expect(await apisOf(control, '/catalogue', viewer)).toEqual(['blue-public', 'red-public', 'red-workspace'])
    const { body } = await control.call('GET', '/catalogue?limit=2', { token: viewer })
    const { next } = body
    if (typeof next !== 'string') throw new TypeError('there is another page')
    expect(await apisOf(control, `/catalogue?cursor=${next}`, viewer)).toEqual(['red-workspace'])
    expect((await control.call('GET', '/catalogue?cursor=x', { token: viewer })).status).toBe(404)
  })
})

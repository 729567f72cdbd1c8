import { expect, test } from 'vitest'
import { isJsonObject, type JsonValue } from '../../kernel/json.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

interface Served {
  readonly workspace: string
  readonly api: string
  readonly host?: string
}

async function serve({ done }: TestControl, { workspace, api, host }: Served): Promise<void> {
  const at = `/workspaces/${workspace}`
  await done('POST', `${at}/apis`, { name: api })
  await done('POST', `${at}/upstreams`, { name: api, targets: [{ url: 'http://127.0.0.1:9001' }] })
  const routes = [
    { name: 'list', match: { methods: ['GET'], path: '/all' } },
    { name: 'one', match: { path: '/all/{id}', headers: [{ name: 'X-Beta' }] } },
  ]
  const settings = { name: '1', basePath: `/${api}`, upstream: api, routes, ...(host === undefined ? {} : { host }) }
  await done('POST', `${at}/apis/${api}/versions`, { settings })
  await done('POST', `${at}/apis/${api}/versions/1/revisions`)
  await done('POST', `${at}/deployments`, { api, version: '1' })
}

/** API and route of each that is found. */
async function found({ done }: TestControl, query = '', workspace = 'default'): Promise<unknown[]> {
  const { items, shows } = await done('GET', `/workspaces/${workspace}/routes${query}`)
  expect(shows).toBe('live')
  const list: readonly JsonValue[] = Array.isArray(items) ? items : []
  return list.map((each) =>
    isJsonObject(each) ? JSON.stringify([each['api'], each['route']]).replaceAll(/["[\]]/g, '') : each,
  )
}

test('routes of a workspace and environment are found by API, path and host, page by page', async () => {
  const control = await testControl()
  await control.done('POST', '/workspaces', { name: 'red' })
  await serve(control, { workspace: 'default', api: 'books' })
  await serve(control, { workspace: 'default', api: 'films', host: '*.example.com' })
  await serve(control, { workspace: 'red', api: 'songs' })
  await expect.poll(() => found(control)).toEqual(['books,list', 'books,one', 'films,list', 'films,one'])
  expect(await found(control, '', 'red')).toEqual(['songs,list', 'songs,one'])
  expect(await found(control, '?api=films')).toEqual(['films,list', 'films,one'])
  expect(await found(control, '?path=/books/all/')).toEqual(['books,one'])
  expect(await found(control, '?host=a.example.com&path=/f')).toEqual(['films,list', 'films,one'])
  expect(await found(control, '?host=other.test')).toEqual(['books,list', 'books,one'])
  const { next } = await control.done('GET', '/workspaces/default/routes?limit=3')
  if (typeof next !== 'string') throw new TypeError('there is another page')
  expect(await found(control, `?cursor=${encodeURIComponent(next)}`)).toEqual(['films,one'])
  await control.done('POST', '/environments', { name: 'staging' })
  expect(await found(control, '?environment=staging')).toEqual([])
})

test('a route says what it asks for and where it leads', async () => {
  const control = await testControl()
  await serve(control, { workspace: 'default', api: 'books' })
  await expect.poll(() => found(control, '?path=/books/all/')).toEqual(['books,one'])
  const { items } = await control.done('GET', '/workspaces/default/routes?path=/books/all/')
  expect(items).toEqual([
    {
      api: 'books',
      version: '1',
      route: 'one',
      methods: [],
      hosts: [],
      path: '/books/all/{id}',
      headers: [{ name: 'x-beta' }],
      query: [],
      upstream: 'books',
    },
  ])
})

import { expect, test } from 'vitest'
import { testControl } from '../../../test/test-control.ts'
import { inChildTurn } from './in-child-turn.ts'

const IMPORTS = '/workspaces/default/imports'

const small = {
  openapi: '3.1.0',
  info: { title: 'Books', version: '1' },
  servers: [{ url: 'http://books.example' }],
  paths: { '/books': { get: { operationId: 'list' } } },
}
const large = { ...small, info: { ...small.info, description: 'x'.repeat(70_000) } }
const ruleset = 'rules: { has-summary: { given: "$.paths[*][*]", then: { field: summary, function: truthy } } }'

test('documents that need a process are refused with a time to come again while too many wait, small ones are not', async () => {
  const control = await testControl()
  const { promise, resolve } = Promise.withResolvers<void>()
  const others = Array.from({ length: 34 }, () => inChildTurn(() => promise))
  const answer = async (body: object): Promise<unknown[]> => {
    const answered = await control.call('POST', IMPORTS, { body })
    return [answered.status, answered.body['code'], answered.headers.get('retry-after')]
  }
  const busy = [503, 'documents.busy', '10']
  expect(await answer({ url: 'http://127.0.0.1:1/openapi' })).toEqual(busy)
  expect(await answer({ document: large })).toEqual(busy)
  expect((await answer({ document: small }))[0]).toBe(201)
  const settings = { policies: [], lint: { ruleset, refuseAt: 'off' } }
  await control.done('PUT', '/workspaces/default', { title: '', settings }, { 'if-match': '*' })
  expect(await answer({ document: small, name: 'other', basePath: '/other' })).toEqual(busy)
  resolve()
  await Promise.all(others)
  expect((await answer({ document: large, name: 'large', basePath: '/large' }))[0]).toBe(201)
})

import { expect, test } from 'vitest'
import { createPerson } from '../../../test/control-people.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { PERMISSIONS, type Permission } from '../permissions.ts'

const AT = '/workspaces/default'

const document = {
  headgate: 1,
  policyLists: [{ name: 'everywhere', default: true, policies: [{ kind: 'key-auth' }] }],
  upstreams: [{ name: 'shop', targets: [{ url: 'http://127.0.0.1:9001' }] }],
  apis: [{ name: 'books', version: '1', upstream: 'shop', routes: [{ name: 'all', match: { path: '/*' } }] }],
  products: [{ name: 'basic', apis: ['books'], plans: [{ name: 'free' }] }],
  consumers: [{ name: 'acme', keys: [{ name: 'main', value: 'a-key-of-acme' }] }],
}

/** A control plane on which `ci` applied the document, and a token for nothing but the permissions. */
async function appliedControl(permissions: readonly Permission[]): Promise<TestControl & { readonly token: string }> {
  const control = await testControl()
  await control.done('POST', `${AT}/apply`, { document, source: 'ci' })
  await control.done('POST', '/roles', { name: 'narrow', permissions })
  const { token } = await createPerson(control, 'narrow')
  return { ...control, token }
}

async function applyAs({ call, token }: Awaited<ReturnType<typeof appliedControl>>, given: object): Promise<unknown[]> {
  const { status, body } = await call('POST', `${AT}/apply`, { token, body: { document: given, source: 'ci' } })
  return [status, body['detail']]
}

test('the right to write APIs alone takes nothing away by leaving it out', async () => {
  const control = await appliedControl(['apis.write'])
  const before = await control.done('GET', `${AT}/export`)
  const refused = [403, expect.stringMatching(/leaves out a live version .* needs the permission deployments\.write/)]
  expect(await applyAs(control, { headgate: 1 })).toEqual(refused)
  expect(await control.done('GET', `${AT}/export`)).toEqual(before)
})

test('the right to write APIs alone empties no policy list that guards them', async () => {
  const control = await appliedControl(['apis.write'])
  const policyLists = [{ name: 'everywhere', default: true, policies: [] }]
  const refused = [403, '`policyLists` needs the permission policies.write.']
  expect(await applyAs(control, { headgate: 1, policyLists })).toEqual(refused)
})

const needed: readonly Permission[] = [
  'deployments.write',
  'consumers.write',
  'products.write',
  'policies.write',
  'upstreams.write',
]

test.each(needed)('what a document leaves out stays without %s, though all other rights are there', async (missing) => {
  const control = await appliedControl(PERMISSIONS.filter((permission) => permission !== missing))
  const before = await control.done('GET', `${AT}/export`)
  expect(await applyAs(control, { headgate: 1 })).toEqual([403, expect.stringContaining(`permission ${missing}.`)])
  expect(await control.done('GET', `${AT}/export`)).toEqual(before)
})

test('a pipeline with no right to consumers applies its APIs as long as its source has no consumers', async () => {
  const control = await appliedControl(['apis.write', 'revisions.write', 'deployments.write', 'upstreams.write'])
  const { upstreams, apis } = document
  const given = { headgate: 1, upstreams, apis: apis.map((api) => ({ ...api, basePath: '/shop' })) }
  const { status } = await control.call('POST', `${AT}/apply`, {
    token: control.token,
    body: { document: given, source: 'apis-only' },
  })
  expect(status).toBe(200)
})

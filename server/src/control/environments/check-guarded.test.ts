/** Where an environment asks for approval, nobody gets around it by what no deployment brings. */
import { expect, test } from 'vitest'
import { createPerson } from '../../../test/control-people.ts'
import { describeOnEveryStore, type TestStore } from '../../../test/database.ts'
import { deployLatest, guard, publish } from '../../../test/release-control.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { PERMISSIONS } from '../permissions.ts'

const AT = '/workspaces/default'
const upstream = (port: number): object => ({ name: 'shop', targets: [{ url: `http://127.0.0.1:${port}` }] })
const limited = (limit: number): object[] => [{ kind: 'rate-limit', config: { limit, countBy: 'ip' } }]
const gold = (limit: number): object => ({
  name: 'gold',
  apis: ['shop'],
  plans: [{ name: 'all', policies: limited(limit) }],
})
const version = { name: '1', basePath: '/shop', routes: [{ name: 'all', match: { path: '/*' } }] }

/** `shop` is live in production, with an upstream, a policy list and a secret of its own; and so asks for approval. */
async function guardedControl(store: TestStore): Promise<TestControl> {
  const control = await testControl({ database: await store.open(), allowPrivateAddresses: true })
  const { done } = control
  await done('POST', `${AT}/secrets`, { name: 'word', value: 'one' })
  await done('POST', `${AT}/upstreams`, upstream(9001))
  const policies = [{ kind: 'respond', when: 'false', config: { body: '${secret:word}' } }]
  await publish(control, { ...version, upstream: 'shop', policies }, 'shop')
  await deployLatest(control, {}, 'shop')
  await done('POST', `${AT}/products`, gold(1))
  const pens = { name: 'pens', version: '1', basePath: '/pens', routes: version.routes, upstream: 'shop' }
  await done('POST', `${AT}/apply`, { document: { headgate: 1, apis: [pens] } })
  await done('POST', '/environments', { name: 'staging' })
  await guard(control)
  return control
}

/** Somebody who may write everything and approve nothing. */
async function createWriter(control: TestControl): Promise<string> {
  const permissions = PERMISSIONS.filter((each) => each !== 'deployments.approve')
  await control.done('POST', '/roles', { name: 'writer', permissions })
  return (await createPerson(control, 'writer')).token
}

const ways: readonly (readonly [method: string, path: string, body?: object])[] = [
  ['PUT', `${AT}/upstreams/shop`, upstream(9002)],
  ['POST', `${AT}/upstreams?environment=production`, upstream(9002)],
  ['POST', `${AT}/policies`, { name: 'open', default: true, policies: limited(1_000) }],
  ['PATCH', AT, { settings: { policies: limited(1_000) } }],
  ['PUT', `${AT}/secrets/word`, { value: 'two' }],
  ['PUT', `${AT}/products/gold`, gold(1_000)],
  ['POST', `${AT}/apis/shop/versions/1/transitions`, { to: 'deprecated' }],
  ['POST', `${AT}/apply`, { source: 'mine', document: { headgate: 1, upstreams: [upstream(9002)] } }],
  // It leaves out a version that it brought before.
  ['POST', `${AT}/apply`, { document: { headgate: 1 } }],
  ['PUT', '/environments/production/gateway', { limits: { maxBodyBytes: 1_000 } }],
]

describeOnEveryStore('where approval is asked for', (store) => {
  test('who may not give it changes nothing that runs there by a way around a deployment', async () => {
    const control = await guardedControl(store)
    const token = await createWriter(control)
    const before = await linesOf(control)
    for (const [method, path, body] of ways) {
      const { status, body: answer } = await control.call(method, path, {
        token,
        body,
        headers: { 'if-match': '*' },
      })
      expect([path, status, answer['code']]).toEqual([path, 403, 'environment.guarded'])
    }
    expect(await linesOf(control)).toEqual(before)
  })

  test('who may give it changes that, and everybody what runs elsewhere', async () => {
    const control = await guardedControl(store)
    const writer = await createWriter(control)
    const elsewhere = { token: writer, body: upstream(9002) }
    expect((await control.call('POST', `${AT}/upstreams?environment=staging`, elsewhere)).status).toBe(201)
    expect((await control.call('POST', `${AT}/consumers`, { token: writer, body: { name: 'ada' } })).status).toBe(201)
    const { token } = await createPerson(control, 'operator')
    const headers = { 'if-match': '*' }
    const answer = await control.call('PUT', `${AT}/upstreams/shop`, { token, headers, body: upstream(9003) })
    expect(answer.status).toBe(200)
    expect(JSON.stringify(await linesOf(control))).toContain('9003')
  })
})

/** What the gateways of production run. */
async function linesOf({ database }: TestControl): Promise<unknown> {
  const lines = database.read.selectFrom('snapshot_lines').select(['key', 'line'])
  return lines.where('environment', '=', 'production').orderBy('key').execute()
}

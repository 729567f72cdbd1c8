import { expect, test } from 'vitest'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import type { JsonObject } from '../../kernel/json.ts'

const AT = '/workspaces/default'
const VERSION = `${AT}/apis/books/versions/1.0.0`
const NAME = 'apis.books.1.0.0.policies.0.config.secret'
const [first, second] = ['first-', 'second-'].map((each) => each.repeat(8)) as [string, string]

function guardedBy(secret: string): JsonObject {
  const policies: JsonObject[] = [
    { kind: 'jwt', config: { secret, audiences: ['books'] } },
    { kind: 'respond', config: { body: 'a book' } },
  ]
  return { policies, routes: [{ name: 'all', match: { path: '/*' } }] }
}

async function deployFirst({ done }: TestControl): Promise<void> {
  await done('POST', `${AT}/apis`, { name: 'books' })
  await done('POST', `${AT}/apis/books/versions`, { settings: { name: '1.0.0', ...guardedBy(first) } })
  await done('POST', `${VERSION}/revisions`)
  await done('POST', `${AT}/deployments`, { api: 'books', version: '1.0.0' })
}

function putDraft({ done }: TestControl, secret: string): Promise<JsonObject> {
  return done('PUT', VERSION, { settings: { name: '1.0.0', ...guardedBy(secret) } }, { 'if-match': '*' })
}

function remove({ done }: TestControl, name: string): Promise<JsonObject> {
  return done('DELETE', `${AT}/secrets/${name}`, undefined, { 'if-match': '*' })
}

async function listSecrets({ done }: TestControl): Promise<unknown[]> {
  const { items } = await done('GET', `${AT}/secrets`)
  return (items as JsonObject[]).map(({ name }) => name)
}

/** The line of the live version, compiled anew with all that it refers to. */
async function compiledAnew({ done, database }: TestControl): Promise<string> {
  const policies = [{ kind: 'headers', config: { request: { set: { 'x-round': String(Math.random()) } } } }]
  await done('PUT', AT, { settings: { policies } }, { 'if-match': '*' })
  const { line } = await database.read
    .selectFrom('snapshot_lines')
    .select('line')
    .where('key', '=', 'apis/books/1.0.0')
    .executeTakeFirstOrThrow()
  return line
}

describeOnEveryStore('a secret that is written into a draft', (store) => {
  test('is not the one of the live revision, until a revision with it is deployed', async () => {
    const control = await testControl({ database: await store.open() })
    await deployFirst(control)
    await putDraft(control, second)
    expect(await compiledAnew(control)).toContain(first)
    await control.done('POST', `${VERSION}/revisions`)
    await control.done('POST', `${AT}/deployments`, { api: 'books', version: '1.0.0' })
    expect(await compiledAnew(control)).toContain(second)
  })

  test('is the same one when it has a value that was there before', async () => {
    const control = await testControl({ database: await store.open() })
    await deployFirst(control)
    const before = (await control.done('GET', VERSION))['settings']
    expect((await putDraft(control, second))['settings']).not.toEqual(before)
    expect((await putDraft(control, first))['settings']).toEqual(before)
  })

  test('comes back by a rollback with the value that it had', async () => {
    const control = await testControl({ database: await store.open() })
    const apply = (secret: string) =>
      control.done('POST', `${AT}/apply`, {
        document: { headgate: 1, apis: [{ name: 'books', version: '1.0.0', ...guardedBy(secret) }] },
      })
    await apply(first)
    await apply(second)
    expect(await compiledAnew(control)).toContain(second)
    await control.done('POST', `${AT}/deployments`, { api: 'books', version: '1.0.0', revision: 1 })
    expect(await compiledAnew(control)).toContain(first)
  })

  test('is written again by an apply when somebody removed it', async () => {
    const control = await testControl({ database: await store.open() })
    await control.done('POST', `${AT}/apis`, { name: 'books' })
    await control.done('POST', `${AT}/apis/books/versions`, { settings: { name: '1.0.0', ...guardedBy(first) } })
    await remove(control, NAME)
    const document = { headgate: 1, apis: [{ name: 'books', version: '1.0.0', ...guardedBy(first) }] }
    await control.done('POST', `${AT}/apply`, { document })
    expect(await compiledAnew(control)).toContain(first)
  })

  test('goes with the next one when no revision was published with it, and stays else', async () => {
    const control = await testControl({ database: await store.open() })
    await deployFirst(control)
    await putDraft(control, 'mistyped'.repeat(5))
    expect(await listSecrets(control)).toEqual([NAME, `${NAME}..2`])
    await putDraft(control, second)
    expect(await listSecrets(control)).toEqual([NAME, `${NAME}..3`])
    await putDraft(control, first)
    expect(await listSecrets(control)).toEqual([NAME])
  })

  test('changes nothing when it is applied again, whatever number it has', async () => {
    const control = await testControl({ database: await store.open() })
    await deployFirst(control)
    await putDraft(control, 'mistyped'.repeat(5))
    const document = { headgate: 1, apis: [{ name: 'books', version: '1.0.0', ...guardedBy(second) }] }
    await control.done('POST', `${AT}/apply`, { document })
    const again = await control.done('POST', `${AT}/apply`, { document })
    expect(again['changed']).toBe(false)
  })

  test('never takes the name of one that was removed and that a revision refers to', async () => {
    const control = await testControl({ database: await store.open() })
    await deployFirst(control)
    await putDraft(control, second)
    await control.done('POST', `${VERSION}/revisions`)
    await control.done('POST', `${AT}/deployments`, { api: 'books', version: '1.0.0' })
    await remove(control, NAME)
    await putDraft(control, 'third-'.repeat(8))
    const back = { body: { api: 'books', version: '1.0.0', revision: 1 } }
    const { status, body } = await control.call('POST', `${AT}/deployments`, back)
    expect([status, body['detail']]).toEqual([422, expect.stringContaining(`"${NAME}" has no value`)])
  })
})

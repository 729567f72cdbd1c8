import { expect, test } from 'vitest'
import { applyDocument, exportedDocument, inShort } from '../../../test/apply-document.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { createCertificate, type TestCertificate } from '../../../test/certificates.ts'
import { createPerson } from '../../../test/control-people.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

const AT = '/workspaces/default'
const make = (name: string): TestCertificate => createCertificate(name, { names: [name] })
const toEntry = (name: string, { cert, key }: TestCertificate): JsonObject => ({ name, chain: cert, key })
const answering = [{ name: 'all', match: { path: '/*' }, policies: [{ kind: 'respond', config: { body: 'a' } }] }]
const apis = [{ name: 'books', version: '1', routes: answering }]

/** What was changed, in short. */
async function apply(control: TestControl, document: JsonObject, source?: string): Promise<string[]> {
  const outcomes = await applyDocument(control, document, source)
  return outcomes.filter(({ action }) => action !== 'unchanged').map(inShort)
}

/** Names of the certificates that the gateways of production would show, in order. */
function shown({ control }: TestControl): string {
  const line = control.feed.treeOf('production')?.get('header') ?? ''
  return (line.match(/(?<="names":\[)[^\]]*/g) ?? []).join()
}

describeOnEveryStore('certificates of a document', (store) => {
  test('become those of the gateways of the environment, and go when the document names them no longer', async () => {
    const control = await testControl({ database: await store.open() })
    const certificates = [toEntry('a', make('a.test')), toEntry('b', make('b.test'))]
    expect(await apply(control, { certificates })).toEqual(['created certificate a', 'created certificate b'])
    await expect.poll(() => shown(control)).toBe('"a.test","b.test"')
    expect(await apply(control, { certificates })).toEqual([])
    await apply(control, {}, 'another-source')
    expect(await apply(control, { certificates: certificates.slice(1) })).toEqual(['removed certificate a'])
    await expect.poll(() => shown(control)).toBe('"b.test"')
  })

  test('are one change for the gateways, however many they are', async () => {
    const control = await testControl({ database: await store.open() })
    const sequence = async (): Promise<number> => {
      const { snapshot_seq: seq } = await control.database.read
        .selectFrom('environments')
        .select('snapshot_seq')
        .where('name', '=', 'production')
        .executeTakeFirstOrThrow()
      return seq
    }
    const before = await sequence()
    const certificates = ['a', 'b', 'c'].map((name) => toEntry(name, make(`${name}.test`)))
    await apply(control, { certificates })
    expect(await sequence()).toBe(before + 1)
    await expect.poll(() => shown(control)).toBe('"a.test","b.test","c.test"')
  })

  test('with a new key and chain replace the old ones in one step', async () => {
    const control = await testControl({ database: await store.open() })
    const [old, next] = [make('a.test'), make('a.test')]
    await apply(control, { certificates: [toEntry('a', old)] })
    expect(await apply(control, { certificates: [toEntry('a', next)] })).toEqual(['changed certificate a'])
    const header = () => control.control.feed.treeOf('production')?.get('header') ?? ''
    await expect.poll(header).toContain(JSON.stringify(next.key).slice(1, -1))
    expect(header()).not.toContain(JSON.stringify(old.key).slice(1, -1))
  })

  test('are exported with references for their keys, to the same bytes here and where the keys were set', async () => {
    const control = await testControl({ database: await store.open() })
    const { done } = control
    const [own, inline] = [make('a.test'), make('inline.test')]
    const gateway = { tls: { certificates: [{ cert: inline.cert, key: inline.key }] } }
    await apply(control, { gateway, certificates: [toEntry('a', own)] })
    await done('POST', `${AT}/certificates`, toEntry('everywhere', make('e.test')))
    const document = await exportedDocument(control)
    expect(JSON.stringify(document)).not.toContain('PRIVATE')
    expect(document['certificates']).toMatchObject([
      { name: 'a', chain: own.cert, key: '${secret:environments.production.certificates.a.key}' },
      { name: 'everywhere', key: '${secret:certificates.everywhere.key}' },
    ])
    // The one for all environments stays what it is: it says the same already.
    expect(await apply(control, document)).toEqual([])
    expect(JSON.stringify(await exportedDocument(control))).toBe(JSON.stringify(document))
    const empty = await testControl({ database: await store.open() })
    const { gateway: _, certificates } = document
    const [first] = Array.isArray(certificates) ? certificates : []
    const alone = { headgate: 1, certificates: [first] } as JsonObject
    const name = 'environments.production.certificates.a.key'
    expect(await apply(empty, alone)).toEqual(['held-back certificate a'])
    await empty.done('POST', `${AT}/secrets`, { name, value: own.key })
    expect(await apply(empty, alone)).toEqual(['created certificate a'])
    expect(JSON.stringify(await exportedDocument(empty))).toBe(JSON.stringify(alone))
    await expect.poll(() => shown(empty)).toBe('"a.test"')
  })

  test('that wait for their key keep versions from going live without them', async () => {
    const control = await testControl({ database: await store.open() })
    const { cert, key } = make('a.test')
    const document = { certificates: [{ name: 'a', chain: cert, key: '${secret:a-key}' }], apis }
    const held = ['held-back certificate a', 'held-back version books 1', 'created api books']
    expect(await apply(control, document)).toEqual(held)
    await control.done('POST', `${AT}/secrets`, { name: 'a-key', value: key })
    expect(await apply(control, document)).toContain('created deployment books 1 #1 in production')
    await expect.poll(() => shown(control)).toBe('"a.test"')
  })

  test('that take the place of others and wait leave these where they are', async () => {
    const control = await testControl({ database: await store.open() })
    const [old, next] = [make('a.test'), make('a.test')]
    await apply(control, { certificates: [toEntry('old', old)], apis })
    const renamed = { certificates: [{ name: 'next', chain: next.cert, key: '${secret:next-key}' }], apis }
    expect(await apply(control, renamed)).toEqual([
      'held-back certificate next',
      'held-back version books 1',
      'held-back certificate old',
    ])
    await expect.poll(() => shown(control)).toBe('"a.test"')
    await control.done('POST', `${AT}/secrets`, { name: 'next-key', value: next.key })
    expect(await apply(control, renamed)).toEqual(['created certificate next', 'removed certificate old'])
    await expect.poll(() => shown(control)).toBe('"a.test"')
  })

  test('that move out of the settings of the gateways and wait stay there', async () => {
    const control = await testControl({ database: await store.open() })
    const { cert, key } = make('a.test')
    const gateway = { tls: { certificates: [{ cert, key }] } }
    await apply(control, { gateway, apis })
    const moved = { gateway: {}, certificates: [{ name: 'a', chain: cert, key: '${secret:a-key}' }], apis }
    expect(await apply(control, moved)).toEqual([
      'held-back certificate a',
      'held-back gateway-settings production',
      'held-back version books 1',
    ])
    await expect.poll(() => shown(control)).toBe('"a.test"')
    await control.done('POST', `${AT}/secrets`, { name: 'a-key', value: key })
    expect(await apply(control, moved)).toEqual(['changed gateway-settings production', 'created certificate a'])
    await expect.poll(() => shown(control)).toBe('"a.test"')
  })

  test('need their permissions, to be written, to be taken away and to be read', async () => {
    const control = await testControl({ database: await store.open() })
    const certificates = [toEntry('a', make('a.test'))]
    await apply(control, { certificates })
    await control.done('POST', '/roles', {
      name: 'narrow',
      permissions: ['apis.write', 'apis.read', 'credentials.read'],
    })
    const { token } = await createPerson(control, 'narrow')
    const ask = async (document: JsonObject): Promise<unknown[]> => {
      const answer = await control.call('POST', `${AT}/apply`, { token, body: { document, source: 'ci' } })
      return [answer.status, answer.body['detail']]
    }
    const needed = expect.stringContaining('needs the permission certificates.write')
    expect(await ask({ headgate: 1, certificates })).toEqual([403, needed])
    expect(await ask({ headgate: 1 })).toEqual([403, needed])
    const read = await control.call('GET', `${AT}/export`, { token })
    expect([read.status, read.body['detail']]).toEqual([403, '`certificates` needs the permission certificates.read.'])
  })

  test('for a name of another workspace, or with a key of another, change nothing at all', async () => {
    const control = await testControl({ database: await store.open() })
    await control.done('POST', '/workspaces', { name: 'red' })
    await control.done('POST', '/workspaces/red/certificates', toEntry('theirs', make('a.test')))
    const ask = async (entry: JsonObject): Promise<unknown[]> => {
      const document = { headgate: 1, apis, certificates: [toEntry('mine', make('mine.test')), entry] }
      const { status, body } = await control.call('POST', `${AT}/apply`, { body: { document } })
      return [status, body['detail']]
    }
    const foreign = 'Another workspace has a certificate for a.test.'
    expect(await ask(toEntry('a', make('a.test')))).toEqual([409, foreign])
    const mixed = { ...toEntry('b', make('b.test')), key: make('c.test').key }
    expect(await ask(mixed)).toEqual([422, expect.stringContaining('the key does not belong to the certificate')])
    expect(await exportedDocument(control)).toEqual({ headgate: 1 })
  })
})

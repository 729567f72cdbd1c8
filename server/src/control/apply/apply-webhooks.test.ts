import { expect, test } from 'vitest'
import { applyDocument, exportedDocument, inShort } from '../../../test/apply-document.ts'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import { createPerson } from '../../../test/control-people.ts'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'

const AT = '/workspaces/default'
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const hook = { name: 'ci', url: 'https://ci.example.com/hook', events: ['deployment.*'], secret }

async function apply(control: TestControl, webhooks: readonly JsonObject[], source?: string): Promise<string[]> {
  return (await applyDocument(control, { webhooks }, source)).map(inShort)
}

describeOnEveryStore('webhooks of a document', (store) => {
  test('are created, changed and removed with it, and only by the source that applied them', async () => {
    const control = await testControl({ database: await store.open() })
    expect(await apply(control, [hook])).toEqual(['created webhook ci'])
    expect(await apply(control, [hook])).toEqual(['unchanged webhook ci'])
    expect(await apply(control, [{ ...hook, enabled: false }])).toEqual(['changed webhook ci'])
    expect(await apply(control, [], 'another-source')).toEqual([])
    expect(await apply(control, [])).toEqual(['removed webhook ci'])
    const { items } = await control.done('GET', '/audit')
    const told: readonly unknown[] = Array.isArray(items) ? items : []
    expect(JSON.stringify(told)).not.toContain(secret)
    expect(
      told.filter(isJsonObject).filter(({ target }) => isJsonObject(target) && target['kind'] === 'webhook'),
    ).toHaveLength(3)
  })

  test('a dry run says what would change and changes nothing', async () => {
    const control = await testControl({ database: await store.open() })
    const body = { document: { headgate: 1, webhooks: [hook] } }
    const { outcomes } = await control.done('POST', `${AT}/apply?dryRun=true`, body)
    expect(outcomes).toMatchObject([{ kind: 'webhook', name: 'ci', action: 'created' }])
    expect(await exportedDocument(control)).toEqual({ headgate: 1 })
  })

  test('are exported with references for their secrets, to the same bytes here and where those were set', async () => {
    const control = await testControl({ database: await store.open() })
    await apply(control, [{ ...hook, previousSecret: secret }])
    const document = await exportedDocument(control)
    const [signing, previous] = ['${secret:webhooks.ci.secret}', '${secret:webhooks.ci.previousSecret}']
    expect(document).toEqual({
      headgate: 1,
      webhooks: [{ ...hook, secret: signing, previousSecret: previous }],
    })
    const entries = document['webhooks']
    const webhooks = Array.isArray(entries) ? entries.filter(isJsonObject) : []
    expect(await apply(control, webhooks)).toEqual(['unchanged webhook ci'])
    const empty = await testControl({ database: await store.open() })
    expect(await apply(empty, webhooks)).toEqual(['held-back webhook ci'])
    for (const name of ['webhooks.ci.secret', 'webhooks.ci.previousSecret']) {
      await empty.done('POST', `${AT}/secrets`, { name, value: secret })
    }
    expect(await apply(empty, webhooks)).toEqual(['created webhook ci'])
    expect(JSON.stringify(await exportedDocument(empty))).toBe(JSON.stringify(document))
  })

  test('go where webhooks may go: no private address, and no secret in the address', async () => {
    const control = await testControl({ database: await store.open() })
    const webhooks = [
      hook,
      { ...hook, name: 'b', url: 'http://127.0.0.1:9/' },
      { ...hook, name: 'c', url: 'http://[::1]/' },
    ]
    const { status, body } = await control.call('POST', `${AT}/apply`, {
      body: { document: { headgate: 1, webhooks } },
    })
    expect([status, body['errors']]).toEqual([
      422,
      [
        expect.objectContaining({ pointer: 'webhooks[1].url' }),
        expect.objectContaining({ pointer: 'webhooks[2].url' }),
      ],
    ])
    const url = 'https://ci.example.com/${secret:a}'
    const told = await control.call('POST', `${AT}/apply`, {
      body: { document: { headgate: 1, webhooks: [{ ...hook, url }] } },
    })
    expect(told.status).toBe(422)
    expect(await exportedDocument(control)).toEqual({ headgate: 1 })
  })

  test('need their permissions, to be written, to be taken away and to be read', async () => {
    const control = await testControl({ database: await store.open() })
    await apply(control, [hook])
    await control.done('POST', '/roles', {
      name: 'narrow',
      permissions: ['apis.write', 'apis.read', 'credentials.read'],
    })
    const { token } = await createPerson(control, 'narrow')
    for (const document of [{ headgate: 1, webhooks: [hook] }, { headgate: 1 }]) {
      const { status, body } = await control.call('POST', `${AT}/apply`, { token, body: { document, source: 'ci' } })
      expect([status, body['detail']]).toEqual([403, expect.stringContaining('needs the permission webhooks.write')])
    }
    const read = await control.call('GET', `${AT}/export`, { token })
    expect([read.status, read.body['detail']]).toEqual([403, '`webhooks` needs the permission webhooks.read.'])
  })
})

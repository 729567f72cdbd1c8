import { expect, test } from 'vitest'
import type { Database } from '../../db/client.ts'
import { describeOnEveryStore, type TestStore } from '../../../test/database.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { testClock } from '../../../test/test-services.ts'
import { createDocumentRemover, KEPT_UNUSED_MS } from './remove-documents.ts'

const AT = '/workspaces/default'
const settings = { name: '1', basePath: '/books', upstream: 'books' }

/** A document of about so many bytes. */
const pages = (name: string, bytes = 0): string =>
  JSON.stringify({
    openapi: '3.1.0',
    info: { title: name, version: '1', description: 'x'.repeat(bytes) },
    paths: { [`/${name}`]: { get: { operationId: name, responses: { 200: { description: 'ok' } } } } },
  })

async function startApi(control: TestControl, at = AT): Promise<void> {
  await control.done('POST', `${at}/upstreams`, { name: 'books', targets: [{ url: 'http://books.test' }] })
  await control.done('POST', `${at}/apis`, { name: 'books' })
}

/** Writes the draft of a version, with the document. */
async function draft({ call }: TestControl, document: string, name = '1', at = AT) {
  const path = `${at}/apis/books/versions`
  const body = { settings: { ...settings, name, basePath: `/books-${name}` }, document }
  const isNew = (await call('GET', `${path}/${name}`)).status === 404
  return isNew ? call('POST', path, { body }) : call('PUT', `${path}/${name}`, { body, headers: { 'if-match': '*' } })
}

async function keptBy(database: Database): Promise<string[]> {
  const blobs = await database.read.selectFrom('blobs').select(['hash', 'content']).execute()
  const documents = await database.read.selectFrom('documents').select('hash').execute()
  expect(documents.map(({ hash }) => hash).toSorted()).toEqual(blobs.map(({ hash }) => hash).toSorted())
  return blobs.map(({ content }) => /"title": ?"(\w+)"/.exec(content)?.[1] ?? '').toSorted()
}

async function start(store: TestStore) {
  const clock = testClock(Date.UTC(2026, 10, 15))
  const control = await testControl({ database: await store.open(), clock })
  const remover = createDocumentRemover(control.control)
  const kept = () => keptBy(control.database)
  /** Marks what is unused, lets the time pass that it is kept for, and removes it. */
  const age = async () => {
    await remover.run()
    clock.advance(KEPT_UNUSED_MS)
    await remover.run()
  }
  await startApi(control)
  return { clock, control, remover, kept, age }
}

describeOnEveryStore('a document that is kept', (store) => {
  test('goes when no draft names it any more, after an hour in which it is still found', async () => {
    const { control, clock, remover, kept } = await start(store)
    await draft(control, pages('old'))
    await draft(control, pages('new'))
    await remover.run()
    clock.advance(KEPT_UNUSED_MS - 1)
    await remover.run()
    expect(await kept()).toEqual(['new', 'old'])
    clock.advance(1)
    await remover.run()
    expect(await kept()).toEqual(['new'])
  })

  test('stays while a revision or another version names it, and goes with the last of them', async () => {
    const { control, kept, age } = await start(store)
    await draft(control, pages('published'))
    await control.done('POST', `${AT}/apis/books/versions/1/revisions`)
    await draft(control, pages('drafted'))
    await draft(control, pages('drafted'), '2')
    await control.done('DELETE', `${AT}/apis/books/versions/2`, undefined, { 'if-match': '*' })
    await age()
    expect(await kept()).toEqual(['drafted', 'published'])
    await control.done('DELETE', `${AT}/apis/books/versions/1`, undefined, { 'if-match': '*' })
    await age()
    expect(await kept()).toEqual([])
  })

  test('stays when it is written again while it waits to go', async () => {
    const { control, clock, remover, kept } = await start(store)
    await draft(control, pages('again'))
    await draft(control, pages('other'))
    await remover.run()
    clock.advance(KEPT_UNUSED_MS)
    await draft(control, pages('again'))
    await remover.run()
    await draft(control, pages('other'))
    await remover.run()
    expect(await kept()).toEqual(['again', 'other'])
  })

  test('stays when it is written between the look for it and its removal', async () => {
    const { control, clock, remover } = await start(store)
    await draft(control, pages('again'))
    await draft(control, pages('other'))
    await remover.run()
    clock.advance(KEPT_UNUSED_MS)
    const { database } = control
    const write: Database['write'] = async (work) => {
      await draft(control, pages('again'))
      return database.write(work)
    }
    await createDocumentRemover({ ...control.control, database: { ...database, write } }).run()
    expect(await keptBy(database)).toEqual(['again', 'other'])
    expect((await control.call('POST', `${AT}/apis/books/versions/1/revisions`)).status).toBe(201)
  })

  test('is removed by one control process at a time', async () => {
    const { control, clock, remover, kept } = await start(store)
    await draft(control, pages('old'))
    await draft(control, pages('new'))
    await remover.run()
    clock.advance(KEPT_UNUSED_MS)
    const { promise, resolve } = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    let writes = 0
    const { database } = control
    const write: Database['write'] = async (work) => {
      const result = await database.write(work)
      if (++writes === 1) {
        // It has the lease now.
        begun.resolve()
        await promise
      }
      return result
    }
    const first = createDocumentRemover({ ...control.control, database: { ...database, write } }).run()
    await begun.promise
    await remover.run()
    expect(await kept()).toEqual(['new', 'old'])
    resolve()
    await first
    expect(await kept()).toEqual(['new'])
  })
})

const KB = 1024

describeOnEveryStore('the bytes of documents that a workspace may keep', (store) => {
  const startSmall = async () => {
    const control = await testControl({ database: await store.open(), mostKeptBytes: 100 * KB })
    await startApi(control)
    return control
  }

  test('are a bound: beyond it nothing is written, and the answer says which versions keep the most', async () => {
    const control = await startSmall()
    await draft(control, pages('first', 20 * KB), '1')
    await draft(control, pages('second', 60 * KB), '2')
    const refused = await draft(control, pages('third', 30 * KB), '3')
    expect(refused.status).toBe(409)
    expect(refused.body).toMatchObject({ code: 'documents.workspace_full' })
    const { errors } = refused.body as { errors: { detail: string }[] }
    expect(errors.map(({ detail }) => detail.slice(0, 7))).toEqual(['books 2', 'books 3', 'books 1'])
    expect(await keptBy(control.database)).toEqual(['first', 'second'])
    expect((await control.call('GET', `${AT}/apis/books/versions/3`)).status).toBe(404)
  })

  test('have room again when versions are removed, and count what several versions name once', async () => {
    const control = await startSmall()
    await draft(control, pages('large', 80 * KB), '1')
    await control.done('POST', `${AT}/apis/books/versions/1/revisions`)
    expect((await draft(control, pages('large', 80 * KB), '2')).status).toBe(201)
    expect((await draft(control, pages('more', 30 * KB), '3')).status).toBe(409)
    for (const name of ['1', '2']) {
      await control.done('DELETE', `${AT}/apis/books/versions/${name}`, undefined, { 'if-match': '*' })
    }
    expect((await draft(control, pages('more', 30 * KB), '3')).status).toBe(201)
  })

  test('count those of revisions, and are each workspace’s own', async () => {
    const control = await startSmall()
    await draft(control, pages('first', 60 * KB))
    await control.done('POST', `${AT}/apis/books/versions/1/revisions`)
    expect((await draft(control, pages('second', 60 * KB))).status).toBe(409)
    await control.done('POST', '/workspaces', { name: 'shop' })
    await startApi(control, '/workspaces/shop')
    expect((await draft(control, pages('second', 60 * KB), '1', '/workspaces/shop')).status).toBe(201)
  })

  test('hold for what is applied and imported: all of it, or nothing', async () => {
    const control = await startSmall()
    const apis = ['a', 'b'].map((name) => {
      return { name, version: '1', basePath: `/${name}`, upstream: 'books', spec: `${name}.json` }
    })
    const files = { 'a.json': pages('a', 60 * KB), 'b.json': pages('b', 60 * KB) }
    const applied = await control.call('POST', `${AT}/apply`, {
      body: { source: 'test', document: { headgate: 1, apis }, files },
    })
    expect([applied.status, applied.body['code']]).toEqual([409, 'documents.workspace_full'])
    const document = JSON.parse(pages('c', 120 * KB)) as object
    const imported = await control.call('POST', `${AT}/imports`, { body: { document, upstreamUrl: 'http://c.test' } })
    expect([imported.status, imported.body['code']]).toEqual([409, 'documents.workspace_full'])
    expect(await keptBy(control.database)).toEqual([])
    expect((await control.done('GET', `${AT}/apis`))['items']).toHaveLength(1)
  })
})

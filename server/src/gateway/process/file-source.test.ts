import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { ConfigSource } from './config-source.ts'
import { createFileSource } from './file-source.ts'

/** Its folder, which is removed after the test, and the file that stands in it. */
function writeConfiguration(): { folder: string; path: string; source: ConfigSource } {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-source-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'headgate.yaml')
  writeFileSync(path, 'headgate: 1\n')
  return { folder, path, source: createFileSource({ path, environment: {}, cacheFolder: join(folder, 'cache') }) }
}

test('a gateway that stops does not wait for a change to be compiled', async () => {
  const { path, source } = writeConfiguration()
  const first = await source.read()
  writeFileSync(path, 'headgate: 1\nupstreams: [{ name: a, targets: [{ url: http://127.0.0.1:1 }] }]\n')
  const reading = source.read()
  await source.close()
  expect(await reading).toBe(first)
  expect(await source.read()).toBe(first)
})

test('a gateway that is stopped while it starts has its first configuration', async () => {
  const { source } = writeConfiguration()
  const reading = source.read()
  await source.close()
  expect(await reading).toMatchObject({ kind: 'compiled' })
})

test('a document that is named for the first time is read once it stays as it is', { timeout: 20_000 }, async () => {
  const { folder, path, source } = writeConfiguration()
  onTestFinished(() => source.close())
  const document = join(folder, 'books.yaml')
  const first = await source.read()
  const state = { version: '', refused: '', workers: 1, ready: true }
  const changed = new Promise<void>((resolve) => source.follow(resolve, () => state, []))
  writeFileSync(document, openApi('/books'))
  // However long the machine takes to read it, it has not stood there for five seconds, as what ends within a line must.
  utimesSync(document, new Date(Date.now() + 4_500), new Date(Date.now() + 4_500))
  const upstreams = [{ name: 'a', targets: [{ url: 'http://127.0.0.1:1' }] }]
  const apis = [{ name: 'a', version: '1', basePath: '/', upstream: 'a', spec: './books.yaml' }]
  writeFileSync(path, JSON.stringify({ headgate: 1, upstreams, apis }))
  expect(await source.read()).toBe(first)
  writeFileSync(document, `${openApi('/books', '/authors')}\n`)
  await changed
  expect(await source.read()).toMatchObject({ kind: 'compiled', routes: 2 })
})

function openApi(...paths: string[]): string {
  const info = { title: 'Books', version: '1' }
  const get = { responses: { 200: { description: 'found' } } }
  return JSON.stringify({ openapi: '3.1.0', info, paths: Object.fromEntries(paths.map((path) => [path, { get }])) })
}

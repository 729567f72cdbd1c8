import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import type { ImportOrder } from './import-child.ts'
import { importInChild } from './import-in-child.ts'

function inFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-import-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function orderOf(source: string, more: Partial<ImportOrder> = {}): ImportOrder {
  const cacheFolder = inFolder({})
  return {
    source,
    text: undefined,
    mayFetch: true,
    allowPrivateAddresses: false,
    hosts: [],
    limits: {},
    cacheFolder,
    ...more,
  }
}

const spec = 'openapi: 3.0.3\ninfo: { title: Books, version: "2" }\npaths: { /a: { $ref: a.yaml } }\n'

test('a document on disk is imported with the files beside it', async () => {
  const folder = inFolder({ 'spec.yaml': spec, 'a.yaml': 'get: { operationId: a }' })
  const outcome = await importInChild(orderOf(pathToFileURL(join(folder, 'spec.yaml')).href))
  expect(outcome).toMatchObject({
    kind: 'imported',
    operations: [{ name: 'a' }],
    proposal: { name: 'books', version: '2' },
  })
  expect(outcome.kind === 'imported' && JSON.parse(outcome.text)).toMatchObject({
    paths: { '/a': { get: { operationId: 'a' } } },
  })
})

test('a document on the network is fetched from this machine only when that is allowed', async () => {
  const server = createServer(({ url }, response) => response.end(url === '/spec' ? spec : 'get: {}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  const source = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/spec`
  expect(await importInChild(orderOf(source, { allowPrivateAddresses: true }))).toMatchObject({ kind: 'imported' })
  expect(await importInChild(orderOf(source))).toMatchObject({
    kind: 'refused',
    findings: [{ rule: 'reference.address' }],
  })
})

test('a text alone leads nowhere when nothing may be fetched', async () => {
  const outcome = await importInChild(orderOf('https://api.example.com/spec', { text: spec, mayFetch: false }))
  expect(outcome).toMatchObject({
    kind: 'refused',
    findings: [{ rule: 'reference.elsewhere', pointer: '#/paths/~1a/$ref' }],
  })
})

test('a process that cannot be started fails this import alone', async () => {
  const { execPath } = process
  onTestFinished(() => {
    process.execPath = execPath
  })
  // As where Node was upgraded under a control plane that runs.
  process.execPath = join(inFolder({}), 'node')
  const order = orderOf('https://api.example.com/spec', { text: spec, mayFetch: false })
  await expect(importInChild(order)).rejects.toThrow('ENOENT')
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createFileSource } from './file-source.ts'

test('a gateway that stops does not wait for a change to be compiled', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-source-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'headgate.yaml')
  writeFileSync(path, 'headgate: 1\n')
  const source = createFileSource({ path, environment: {}, cacheFolder: join(folder, 'cache') })
  const first = await source.read()
  writeFileSync(path, 'headgate: 1\nupstreams: [{ name: a, targets: [{ url: http://127.0.0.1:1 }] }]\n')
  const reading = source.read()
  await source.close()
  expect(await reading).toBe(first)
  expect(await source.read()).toBe(first)
})

test('a gateway that is stopped while it starts has its first configuration', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-source-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'headgate.yaml')
  writeFileSync(path, 'headgate: 1\n')
  const source = createFileSource({ path, environment: {}, cacheFolder: join(folder, 'cache') })
  const reading = source.read()
  await source.close()
  expect(await reading).toMatchObject({ kind: 'compiled' })
})

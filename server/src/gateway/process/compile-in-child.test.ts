import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { compileInChild } from './compile-in-child.ts'

test('a configuration that takes too long to be read is refused with a sentence', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-compile-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'headgate.yaml')
  writeFileSync(path, 'headgate: 1\n')
  // No process starts in a millisecond.
  const outcome = await compileInChild({ path, environment: {}, cacheFolder: join(folder, 'cache') }, 1)
  expect(outcome).toMatchObject({
    kind: 'refused',
    issues: [{ file: path, message: 'the configuration takes more than 0.001 seconds to be read' }],
    watched: [path],
  })
})

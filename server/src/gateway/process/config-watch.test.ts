import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ConfigWatch } from './config-watch.ts'

test('a log that grows beside the file does not put a reload off', { timeout: 20_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-watch-'))
  const file = join(folder, 'headgate.yaml')
  writeFileSync(file, 'headgate: 1\n')
  const growing = setInterval(() => appendFileSync(join(folder, 'access.log'), 'a line\n'), 10)
  const changed = new Promise<string>((resolve) => {
    const watch = new ConfigWatch(() => resolve('changed'))
    watch.follow([file])
    onTestFinished(() => {
      clearInterval(growing)
      watch.close()
      rmSync(folder, { recursive: true })
    })
  })
  writeFileSync(file, 'headgate: 1 # and more\n')
  expect(await changed).toBe('changed')
})

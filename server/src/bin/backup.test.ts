import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { testControl } from '../../test/test-control.ts'
import { createWebhookWorker } from '../control/webhooks/webhook-worker.ts'
import { openDatabase } from '../db/client.ts'
import { migrate } from '../db/migrate.ts'
import { createBackupCommand, createRestoreCommand } from './backup.ts'

const silent = pino({ level: 'silent' })

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-backup-command-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function run(name: 'backup' | 'restore', ...args: readonly string[]) {
  const result = { code: -1, output: '', errors: '' }
  const surroundings = {
    environment: {},
    write: (text: string) => void (result.output += text),
    writeError: (text: string) => void (result.errors += text),
    readSecret: async () => '',
  }
  const create = name === 'backup' ? createBackupCommand : createRestoreCommand
  await create(surroundings, (code) => (result.code = code)).parseAsync(args, { from: 'user' })
  return result
}

async function fillStore(folder: string): Promise<void> {
  const database = await openDatabase({ folder, log: silent })
  await migrate(database)
  await database.write((transaction) => transaction.insertInto('meta').values({ name: 'a', value: 'b' }).execute())
  await database.close()
}

test('a store is backed up and restored into another folder', async () => {
  const folder = makeFolder()
  await fillStore(join(folder, 'old'))
  const file = join(folder, 'backup.gz')
  const made = await run('backup', file, '--data-dir', join(folder, 'old'))
  expect(made).toEqual({ code: 0, output: expect.stringContaining(`Wrote 1 rows to ${file}.`), errors: '' })
  const restored = await run('restore', file, '--data-dir', join(folder, 'new'), '--json')
  expect([restored.code, JSON.parse(restored.output)]).toEqual([0, { file, rows: 1 }])
  const again = await run('restore', file, '--data-dir', join(folder, 'new'))
  expect([again.code, again.errors]).toEqual([1, expect.stringContaining('The store is not empty.')])
  expect((await run('restore', file, '--data-dir', join(folder, 'new'), '--force')).code).toBe(0)
})

test('nothing is restored while a control plane works on the store', async () => {
  const dataDir = makeFolder()
  const file = join(dataDir, 'backup.gz')
  const database = await openDatabase({ folder: dataDir, log: silent })
  await migrate(database)
  const { control } = await testControl({ database })
  const worker = createWebhookWorker(control, 'a process')
  await worker.tick()
  await run('backup', file, '--data-dir', dataDir)
  const refused = await run('restore', file, '--data-dir', dataDir, '--force')
  expect([refused.code, refused.errors]).toEqual([
    1,
    expect.stringMatching(/^A control plane works on this store\. Stop it first; .* in \d+ seconds\.\n$/),
  ])
  await worker.close()
  await database.close()
  expect(await run('restore', file, '--data-dir', dataDir, '--force')).toMatchObject({ code: 0, errors: '' })
  // The lease of the backup is nobody's: what is restored once can be restored again.
  expect((await run('restore', file, '--data-dir', dataDir, '--force')).code).toBe(0)
})

test('what an operator can mend is said in a sentence', async () => {
  const folder = makeFolder()
  const none = await run('backup', join(folder, 'backup.gz'), '--data-dir', join(folder, 'none'))
  expect([none.code, none.errors]).toEqual([
    1,
    expect.stringContaining(`There is no store in ${join(folder, 'none')}. Name its folder:`),
  ])
  const missing = await run('restore', join(folder, 'missing.gz'), '--data-dir', join(folder, 'new'))
  expect([missing.code, missing.errors]).toEqual([1, expect.stringContaining('ENOENT')])
  writeFileSync(join(folder, 'other.gz'), 'not a backup')
  const other = await run('restore', join(folder, 'other.gz'), '--data-dir', join(folder, 'new'))
  expect([other.code, other.errors]).toEqual([1, 'The backup is damaged: it cannot be decompressed.\n'])
  const wrong = await run('backup', 'x.gz', '--database-url', 'mysql://localhost')
  expect(wrong.code).toBe(2)
})

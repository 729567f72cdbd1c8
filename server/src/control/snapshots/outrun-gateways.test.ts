import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl } from '../../../test/test-control.ts'
import { backup } from '../../db/backup.ts'
import type { Database } from '../../db/client.ts'
import { restore } from '../../db/restore.ts'
import { outrunGateways } from './outrun-gateways.ts'
import { SnapshotFeed } from './snapshot-feed.ts'

const UPSTREAMS = '/workspaces/default/upstreams'

async function readPublished(database: Database) {
  const feed = new SnapshotFeed(database, pino({ level: 'silent' }), () => '')
  await feed.start()
  onTestFinished(() => feed.close())
  const published = feed.current('production')
  if (published === undefined) throw new Error('nothing is published')
  return published
}

describeOnEveryStore('a restored store', (store) => {
  test('publishes what the backup has, as newer than all that was published since', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'headgate-outrun-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'backup.gz')
    const { database, done } = await testControl({ database: await store.open() })
    const addUpstream = (name: string) => done('POST', UPSTREAMS, { name, targets: [{ url: 'http://127.0.0.1:9001' }] })
    await addUpstream('first')
    const before = await readPublished(database)
    await backup(database, file)
    await addUpstream('second')
    const since = await readPublished(database)
    const other = await (await store.place({ migrated: false })).open()
    await restore(other, file, { finish: (transaction) => outrunGateways(transaction, Date.now()) })
    const restored = await readPublished(other)
    expect(restored.root).toBe(before.root)
    expect(restored.seq).toBeGreaterThan(since.seq)
    // Control takes the two for one number, and looks at the lines again as long as they differ.
    const environments = other.read.selectFrom('environments').select('snapshot_seq').where('name', '=', 'production')
    expect(await environments.execute()).toEqual([{ snapshot_seq: restored.seq }])
  })
})

import { expect, test } from 'vitest'
import { testControl } from '../../../test/test-control.ts'
import type { SnapshotLine } from '../../kernel/snapshot-tree.ts'
import { publishLines } from './publish-lines.ts'

const ENVIRONMENT = 'production'

test('a gateway hears what changed since, unless so much did that it had better compare everything', async () => {
  const { control } = await testControl()
  const { feed } = control
  const publish = async (lines: readonly SnapshotLine[]): Promise<string> => {
    const before = feed.current(ENVIRONMENT)?.root ?? ''
    await control.database.write(async (db) => {
      const write = { db, may: () => true, note: () => undefined, touch: () => undefined, atEnd: () => undefined }
      await publishLines(write, ENVIRONMENT, { removed: [], lines })
    })
    feed.hint(ENVIRONMENT)
    await feed.waitForChange(ENVIRONMENT, before, AbortSignal.timeout(30_000))
    return before
  }
  const many = (version: number): SnapshotLine[] =>
    Array.from({ length: 12_000 }, (_, at) => ({ key: `routes/${at}`, line: `{"v":${version}}` }))

  const first = await publish(many(1))
  expect(feed.changeSince(ENVIRONMENT, first)?.lines).toHaveLength(12_000)
  const second = await publish(many(2))
  const third = await publish([{ key: 'routes/7', line: '{"v":3}' }])
  // Two of the large ones are more than is held, so the older one is forgotten.
  expect(feed.changeSince(ENVIRONMENT, first)).toBeUndefined()
  expect(feed.changeSince(ENVIRONMENT, second)?.lines).toHaveLength(12_000)
  expect(feed.changeSince(ENVIRONMENT, third)).toEqual({ removed: [], lines: [{ key: 'routes/7', line: '{"v":3}' }] })
})

test('gateways get nothing of an environment that was removed from a new one of its name', async () => {
  const { control, done } = await testControl()
  const { feed } = control
  const anyVersion = { 'if-match': '*' }
  const create = () => done('POST', '/environments', { name: 'staging' })
  await create()
  for (const maxBodyBytes of [1, 2, 3]) {
    await done('PUT', '/environments/staging/gateway', { limits: { maxBodyBytes } }, anyVersion)
  }
  await expect.poll(() => feed.current('staging')?.seq).toBe(4)
  await done('DELETE', '/environments/staging', undefined, anyVersion)
  await create()
  await expect.poll(() => feed.current('staging')?.seq).toBe(1)
  // Nothing is in either of them.
  expect(feed.current('staging')?.root).toBe(feed.current(ENVIRONMENT)?.root)
})

/** A gateway that runs what a control plane of the same test published last. */
import { expect } from 'vitest'
import type { SnapshotLines } from '../src/kernel/snapshot-delivery.ts'
import type { TestControl } from './test-control.ts'
import { testGateway, type TestGateway } from './test-gateway.ts'

export async function publishedGateway(control: TestControl, environment = 'production'): Promise<TestGateway> {
  return testGateway({ snapshot: await publishedSnapshot(control, environment) })
}

/** What it published last. */
export async function publishedSnapshot(
  { control, database }: TestControl,
  environment = 'production',
): Promise<SnapshotLines> {
  const { snapshot_seq: seq } = await database.read
    .selectFrom('environments')
    .select('snapshot_seq')
    .where('name', '=', environment)
    .executeTakeFirstOrThrow()
  await expect.poll(() => control.feed.current(environment)?.seq).toBe(seq)
  const tree = control.feed.treeOf(environment) ?? expect.fail('the environment has a snapshot')
  return { version: tree.root(), lines: tree.toMap() }
}

import { expect, test } from 'vitest'
import type { Database } from '../../db/client.ts'
import { describeOnEveryStore, type TestStore } from '../../../test/database.ts'
import { answering, deployLatest, publish } from '../../../test/release-control.ts'
import { testControl } from '../../../test/test-control.ts'
import { CountWindow, sumCounts } from './deployment-counts.ts'

interface Counted {
  readonly gateway?: string
  readonly slot: number
  readonly atMs: number
  readonly requests: number
}

async function start(
  store: TestStore,
): Promise<{ database: Database; id: string; add: (row: Counted) => Promise<unknown> }> {
  const control = await testControl({ database: await store.open() })
  await publish(control, answering('first'))
  const { id } = await deployLatest(control)
  const { database } = control
  const add = ({ gateway = 'a', slot, atMs, requests }: Counted): Promise<unknown> => {
    const counts = { requests, errors: 1, latency: JSON.stringify([slot, requests]) }
    const row = { deployment_id: id, gateway_id: gateway, slot, at_ms: atMs, ...counts }
    return database.write((db) => db.insertInto('deployment_counts').values(row).execute())
  }
  return { database, id, add }
}

describeOnEveryStore('what is counted over a time that moves on', (store) => {
  test('is the same as what is added up anew', async () => {
    const { database, id, add } = await start(store)
    const window = new CountWindow(id)
    for (let slot = 1; slot <= 12; slot++) {
      await add({ slot, atMs: slot * 10_000, requests: slot })
      // Of another gateway, whose report was long on its way.
      await add({ gateway: 'b', slot, atMs: slot * 10_000 - 25_000, requests: 1 })
      const sinceMs = slot * 10_000 - 60_000
      expect(await window.sum(database.read, sinceMs)).toEqual(await sumCounts(database.read, id, sinceMs))
    }
    expect((await window.sum(database.read, 65_000)).requests).toBe(7 + 8 + 9 + 10 + 11 + 12 + 3)
    expect(await window.sum(database.read, 0)).toEqual(await sumCounts(database.read, id, 0))
  })

  test('is read once: what was read before is not read again', async () => {
    const { database, id, add } = await start(store)
    const window = new CountWindow(id)
    await add({ slot: 1, atMs: 10_000, requests: 5 })
    await add({ slot: 2, atMs: 100_000, requests: 7 })
    await window.sum(database.read, 0)
    await database.write((db) => db.deleteFrom('deployment_counts').where('slot', '=', 1).execute())
    expect((await window.sum(database.read, 0)).requests).toBe(12)
  })
})

import { expect, test } from 'vitest'
import { describeOnEveryStore } from '../../test/database.ts'

describeOnEveryStore('the store', (store) => {
  test('keeps what was written, and reads it', async () => {
    const database = await store.open()
    await database.write((transaction) => transaction.insertInto('meta').values({ name: 'a', value: 'b' }).execute())
    expect(await database.read.selectFrom('meta').selectAll().execute()).toEqual([{ name: 'a', value: 'b' }])
  })
})

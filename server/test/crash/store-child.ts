/** A process that writes to a store for whoever asks, and is killed while it does. */
import { writeSync } from 'node:fs'
import { pino } from 'pino'
import { openDatabase, type Work } from '../../src/db/client.ts'
import { migrate } from '../../src/db/migrate.ts'
import { sumName, type StoreChange, type StorePlaceArgument } from './store-change.ts'

const place = JSON.parse(process.argv[2] ?? '') as StorePlaceArgument
const database = await openDatabase({ url: place.url, folder: place.folder, log: pino({ level: 'silent' }) })
await migrate(database)

const toWork =
  ({ id, parts, text }: StoreChange): Work<void> =>
  async (transaction) => {
    for (let part = 0; part < parts; part++) {
      const row = { name: `${id} ${part}`, value: `${parts} ${text}` }
      await transaction.insertInto('meta').values(row).execute()
    }
    const sum = await transaction.selectFrom('meta').select('value').where('name', '=', sumName).executeTakeFirst()
    const value = String(Number(sum?.value ?? 0) + parts)
    const query = transaction.insertInto('meta').values({ name: sumName, value })
    await query.onConflict((conflict) => conflict.column('name').doUpdateSet({ value })).execute()
  }

process.on('message', (change: StoreChange) => {
  database.write(toWork(change)).then(
    () => {
      // Also as a system call in this very thread, so that a trace shows what came before it.
      writeSync(1, `acknowledged ${change.id}\n`)
      process.send?.({ id: change.id })
    },
    (error: unknown) => process.send?.({ id: change.id, error: String(error) }),
  )
})
process.once('disconnect', () => void database.close())
process.send?.({ id: 'ready' })

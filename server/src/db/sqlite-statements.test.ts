import BetterSqlite from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { prepareOnce } from './sqlite-statements.ts'

function openMemory(): BetterSqlite.Database {
  const handle = new BetterSqlite(':memory:')
  onTestFinished(() => void handle.close())
  handle.exec('CREATE TABLE things (name TEXT)')
  return handle
}

test('a statement is prepared once for a handle, as long as it is used', () => {
  const handle = openMemory()
  const select = prepareOnce(handle, 'select * from things')
  for (let at = 0; at < 200; at++) prepareOnce(handle, `select ${at} from things`)
  expect(prepareOnce(handle, 'select * from things')).toBe(select)
  for (let at = 0; at < 300; at++) prepareOnce(handle, `select ${at} from things`)
  expect(prepareOnce(handle, 'select * from things')).not.toBe(select)
  expect(prepareOnce(openMemory(), 'select 1 from things')).not.toBe(prepareOnce(handle, 'select 1 from things'))
})

test('a table that was altered is seen as it is now', () => {
  const handle = openMemory()
  prepareOnce(handle, `insert into things values ('one')`).run()
  expect(prepareOnce(handle, 'select * from things').all()).toEqual([{ name: 'one' }])
  prepareOnce(handle, `alter table things add column size integer default 7`).run()
  expect(prepareOnce(handle, 'select * from things').all()).toEqual([{ name: 'one', size: 7 }])
})

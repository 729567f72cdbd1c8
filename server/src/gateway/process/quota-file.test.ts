import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { QuotaState } from '../../kernel/quotas.ts'
import { QuotaFile } from './quota-file.ts'

function testFile() {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-quotas-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'made/by/it/quotas.jsonl')
  return { path, file: new QuotaFile(path) }
}

const state = (key: string, own: number): QuotaState => ({
  policy: 'p',
  key,
  periodStartMs: 1,
  periodEndMs: 2,
  own,
  others: 1,
})
const live = (...states: QuotaState[]) => ({ size: states.length, states: () => states })

test('what was saved last is read again, also keys with any characters', async () => {
  const { path, file } = testFile()
  expect(await file.read()).toEqual([])
  const strange = state('"a\n\u2028\\', 3)
  await file.save([state('a', 1), strange], live(state('a', 1), strange))
  await file.save([state('a', 2)], live(state('a', 2), strange))
  expect(await new QuotaFile(path).read()).toEqual([state('a', 2), strange])
})

test('a line that was cut off and one that is none cost nothing but themselves', async () => {
  const { path, file } = testFile()
  await file.save([state('a', 1), state('b', 2)], live(state('a', 1), state('b', 2)))
  appendFileSync(path, 'null\n{"a":1}\n["p","c",1,2,"3",0]\n["p","c",1,2,3,-4]\n["p","a",1,2,9')
  expect(await new QuotaFile(path).read()).toEqual([state('a', 1), state('b', 2)])
})

test('nothing is written when nothing has changed, and what is over goes when another process goes on', async () => {
  const { path, file } = testFile()
  await file.save([], live())
  expect(await file.read()).toEqual([])
  await file.save([state('a', 1), state('b', 1)], live(state('a', 1), state('b', 1)))
  const next = new QuotaFile(path)
  await next.read()
  await next.save([state('b', 2)], live(state('b', 2)))
  expect(await next.read()).toEqual([state('b', 2)])
})

test('the file does not grow with time but with what counts', async () => {
  const { path, file } = testFile()
  for (let used = 0; used < 300; used++) {
    const states = Array.from({ length: 100 }, (_, key) => state(`${key}`, used))
    await file.save(states, live(...states))
  }
  expect(readFileSync(path, 'utf8').split('\n').length).toBeLessThan(10_600)
  expect(await file.read()).toEqual(Array.from({ length: 100 }, (_, key) => state(`${key}`, 299)))
})

test('after a save that failed everything is written anew', async () => {
  const { path, file } = testFile()
  await file.save([state('a', 1)], live(state('a', 1)))
  rmSync(path)
  rmSync(join(path, '../..'), { recursive: true })
  writeFileSync(join(path, '../..'), 'in the way')
  await expect(file.save([state('a', 2)], live(state('a', 2)))).rejects.toThrow('ENOTDIR')
  rmSync(join(path, '../..'))
  await file.save([state('b', 1)], live(state('a', 2), state('b', 1)))
  expect(await file.read()).toEqual([state('a', 2), state('b', 1)])
})

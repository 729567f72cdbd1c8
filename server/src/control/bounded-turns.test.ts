import { expect, test } from 'vitest'
import { createBoundedTurns } from './bounded-turns.ts'
import { documentsBusy } from './documents/document-problems.ts'

function place() {
  const inTurn = createBoundedTurns({ mostAtOnce: 2, mostWaiting: 3, mostWaitingOfOne: 2, busy: () => documentsBusy() })
  const begun: string[] = []
  const ends = new Map<string, PromiseWithResolvers<string>>()
  const work = (name: string, whose?: string): Promise<string> =>
    inTurn(() => {
      begun.push(name)
      const end = Promise.withResolvers<string>()
      ends.set(name, end)
      return end.promise
    }, whose)
  return { work, begun, ends }
}

test('only so many work at once, those who wait come in their order, and one too many is refused', async () => {
  const { work, begun, ends } = place()
  const turns = ['a', 'b', 'c', 'd', 'e'].map((name) => work(name))
  expect(begun).toEqual(['a', 'b'])
  await expect(work('f')).rejects.toThrow('documents.busy')
  ends.get('b')?.resolve('done')
  expect(await turns[1]).toBe('done')
  await expect.poll(() => begun).toEqual(['a', 'b', 'c'])
  for (const name of ['a', 'c', 'd', 'e']) {
    await expect.poll(() => begun).toContain(name)
    ends.get(name)?.resolve(name)
  }
  expect(await Promise.all(turns)).toEqual(['a', 'done', 'c', 'd', 'e'])
})

test('work that fails gives its turn back', async () => {
  const { work, begun, ends } = place()
  const turns = ['a', 'b', 'c'].map((name) => work(name))
  ends.get('a')?.reject(new Error('it failed'))
  await expect(turns[0]).rejects.toThrow('it failed')
  await expect.poll(() => begun).toEqual(['a', 'b', 'c'])
  for (const end of ends.values()) end.resolve('')
  await Promise.all(turns.slice(1))
})

test('whoever has sent much waits longer than others, and fills no more of the queue than a share', async () => {
  const { work, begun, ends } = place()
  const turns = ['a', 'b', 'c', 'd'].map((name) => work(name, 'red'))
  await expect(work('e', 'red')).rejects.toThrow('documents.busy')
  turns.push(work('f', 'blue'))
  await expect(work('g', 'green')).rejects.toThrow('documents.busy')
  ends.get('a')?.resolve('')
  await expect.poll(() => begun).toEqual(['a', 'b', 'f'])
  ends.get('b')?.resolve('')
  await expect.poll(() => begun).toEqual(['a', 'b', 'f', 'c'])
  ends.get('f')?.resolve('')
  await expect.poll(() => begun).toEqual(['a', 'b', 'f', 'c', 'd'])
  for (const end of ends.values()) end.resolve('')
  await Promise.all(turns)
})

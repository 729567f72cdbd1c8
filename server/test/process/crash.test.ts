import { expect, onTestFinished, test } from 'vitest'
import { describeOnEveryStore, describeOnPostgres } from '../database.ts'
import { runCrashRounds, type CrashSubject } from '../crash/crash-rounds.ts'
import { createStoreSubject, type CrashKind } from '../crash/store-subject.ts'

const rounds = 4

async function expectSurvival(kind: CrashKind): Promise<void> {
  const subject = await createStoreSubject(kind)
  onTestFinished(() => subject.stop())
  const { acknowledged } = await runCrashRounds({ subject, rounds, seed: 20_261_122 })
  expect(acknowledged.size).toBeGreaterThanOrEqual(rounds)
}

describeOnEveryStore('a store whose writer is killed', ({ dialect }) => {
  test('keeps every acknowledged change and no half one', { timeout: 90_000 }, () => expectSurvival(dialect))
})

describeOnPostgres('a store whose server is killed', () => {
  test('keeps every acknowledged change and no half one', { timeout: 90_000 }, () => expectSurvival('postgres-server'))
})

test('a crash test notices a change that was acknowledged and is gone', async () => {
  const kept = new Set<number>()
  const forgetful: CrashSubject = {
    start: async () => undefined,
    change: async (id) => {
      await new Promise((resolve) => setImmediate(resolve))
      if (id !== 3) kept.add(id)
    },
    kill: async () => undefined,
    check: async ({ acknowledged }) => [...acknowledged].filter((id) => !kept.has(id)).map((id) => `${id} is gone.`),
  }
  await expect(runCrashRounds({ subject: forgetful, rounds: 5, seed: 1 })).rejects.toThrow('of seed 1: 3 is gone.')
})

/** A short run of what `npm run crash` does at length: the admin API, its store, and a gateway that serves all the while. */
import { expect, onTestFinished, test } from 'vitest'
import { describeOnEveryStore, describeOnPostgres } from '../database.ts'
import { createControlSubject, type ControlCrashKind } from '../crash/control-subject.ts'
import { runCrashRounds } from '../crash/crash-rounds.ts'

const rounds = 2
const slow = { timeout: 120_000 }

async function expectSurvival(kind: ControlCrashKind): Promise<void> {
  const subject = await createControlSubject(kind)
  onTestFinished(() => subject.stop())
  const { acknowledged } = await runCrashRounds({ subject, rounds, seed: 20_261_122 })
  expect(acknowledged.size).toBeGreaterThanOrEqual(rounds)
  expect(subject.served).toBeGreaterThan(0)
}

describeOnEveryStore('a control process that is killed', ({ dialect }) => {
  test('keeps every acknowledged change and its audit, and the gateway serves', slow, () =>
    expectSurvival(`control-${dialect}`),
  )
})

describeOnPostgres('a control process whose PostgreSQL is killed', () => {
  test('keeps every acknowledged change and its audit, and the gateway serves', slow, () =>
    expectSurvival('control-postgres-server'),
  )
})

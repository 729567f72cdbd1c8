/**
 * `npm run crash -- [--subject sqlite|postgres|postgres-server|control-sqlite|…] [--rounds 200] [--seed 1]`: the long run of the
 * crash test.
 */
import { parseArgs } from 'node:util'
import { controlCrashKinds, createControlSubject } from './control-subject.ts'
import { runCrashRounds } from './crash-rounds.ts'
import { crashKinds, createStoreSubject } from './store-subject.ts'

const { values } = parseArgs({
  options: {
    subject: { type: 'string' },
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
  },
})
const rounds = Number(values.rounds)
const seed = Number(values.seed)
const reportEvery = 10

const subjects = [
  ...crashKinds.map((kind) => ({
    kind,
    create: async () => ({ subject: await createStoreSubject(kind), toResult: () => '' }),
  })),
  ...controlCrashKinds.map((kind) => ({
    kind,
    create: async () => {
      const subject = await createControlSubject(kind)
      return { subject, toResult: () => `; the gateway served ${subject.served} requests and refused none` }
    },
  })),
]

for (const { kind, create } of subjects.filter(
  (each) => values.subject === undefined || values.subject === each.kind,
)) {
  const { subject, toResult } = await create()
  try {
    const { acknowledged, unknown } = await runCrashRounds({
      subject,
      rounds,
      seed,
      onRound: (round, history) => {
        if (round % reportEvery === 0) console.log(`${kind}: round ${round}, ${history.acknowledged.size} acknowledged`)
      },
    })
    console.log(
      `${kind}: ${rounds} kills, ${acknowledged.size} changes acknowledged and all there, ${unknown.size} under way at a ` +
        `kill and none of them half done${toResult()}`,
    )
  } finally {
    await subject.stop()
  }
}

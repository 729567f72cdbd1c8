/** `npm run crash -- [--store sqlite|postgres|postgres-server] [--rounds 200] [--seed 1]`: the long run of the crash test. */
import { parseArgs } from 'node:util'
import { runCrashRounds } from './crash-rounds.ts'
import { crashKinds, createStoreSubject } from './store-subject.ts'

const { values } = parseArgs({
  options: {
    store: { type: 'string' },
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
  },
})
const rounds = Number(values.rounds)
const seed = Number(values.seed)
const reportEvery = 20

for (const kind of crashKinds.filter((each) => values.store === undefined || values.store === each)) {
  const subject = await createStoreSubject(kind)
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
        'kill and none of them half done',
    )
  } finally {
    await subject.stop()
  }
}

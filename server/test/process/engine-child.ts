/** Sets the engine up as a gateway does, gives two threads much to collect, and tells how its threads are to the kernel. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, Worker } from 'node:worker_threads'
import { setUpEngine } from '../../src/gateway/process/engine.ts'

interface Kept {
  readonly at: number
  readonly text: string
}

/** Old and young objects, over several turns of the event loop, so that all kinds of collections happen. */
async function fillAndCollect(): Promise<void> {
  const kept: Kept[] = []
  for (let turn = 0; turn < 30; turn++) {
    for (let at = 0; at < 20_000; at++) kept[(turn % 10) * 20_000 + at] = { at, text: `text ${turn} ${at}` }
    await sleep(1)
  }
}

function nicenessByThread(): { name: string; niceness: number }[] {
  return readdirSync('/proc/self/task').map((id) => {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, 'utf8')
    const [name = '', rest = ''] = stat.slice(stat.indexOf('(') + 1).split(') ')
    return { name, niceness: Number(rest.split(' ')[16]) }
  })
}

if (isMainThread) {
  setUpEngine()
  const worker = new Worker(new URL(import.meta.url), { name: 'serves' })
  const ended = new Promise((resolve) => worker.once('exit', resolve))
  worker.once('online', () => process.stdout.write(JSON.stringify(nicenessByThread())))
  await Promise.all([fillAndCollect(), ended])
} else {
  await fillAndCollect()
}

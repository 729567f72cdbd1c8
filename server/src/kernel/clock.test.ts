import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { systemClock } from './clock.ts'

test('the monotonic clock is one for all threads, whenever they began', async () => {
  const url = new URL('clock.ts', import.meta.url).href
  const code = `import('${url}').then(({ systemClock }) => require('node:worker_threads').parentPort.postMessage(systemClock.monotonicMs()))`
  const before = systemClock.monotonicMs()
  const [inWorker] = await once(new Worker(code, { eval: true }), 'message')
  const after = systemClock.monotonicMs()
  // Each thread finds its place on the common clock by two readings, between which it may have to wait for its turn.
  const slackMs = 100
  expect(inWorker).toBeGreaterThan(before - slackMs)
  expect(inWorker).toBeLessThan(after + slackMs)
})

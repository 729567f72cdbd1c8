import { expect, test } from 'vitest'
import { testCompiler } from '../../test/compiled-snapshot.ts'
import { compileFiles } from '../../test/test-config.ts'
import { toSnapshotLines } from '../config/snapshot-lines.ts'
import { deliverChange, deliverWhole, type SnapshotLines } from '../kernel/snapshot-delivery.ts'

const ROUTES = 2_000
const BUCKETS = 256

/** As many routes, of which each is another for another method. */
function toLines(method: string): SnapshotLines {
  const routes = Array.from({ length: ROUTES }, (_, at) => ({
    name: `r${at}`,
    match: { methods: [method], path: `/${at}` },
  }))
  const api = { name: 'a', version: '1', basePath: '/', upstream: 'one', routes }
  const document = { headgate: 1, upstreams: [{ name: 'one', targets: [{ url: 'http://127.0.0.1:1' }] }], apis: [api] }
  return toSnapshotLines(compileFiles({ 'a.yaml': JSON.stringify(document) }).snapshot)
}

test('thousands of routes that change are compiled one by one, with a chance for requests after each', async () => {
  let pauses = 0
  let atOnce = 0
  let mostAtOnce = 0
  const { compiler } = testCompiler({
    seriesOf: () => {
      mostAtOnce = Math.max(mostAtOnce, ++atOnce)
      return 1
    },
    pause: async () => {
      pauses++
      atOnce = 0
    },
  })
  const [first, second] = [toLines('GET'), toLines('PUT')]
  await compiler.prepare(await deliverWhole(first))
  expect(compiler.commit()?.version).toBe(first.version)
  pauses = 0
  await compiler.prepare(await deliverChange(first, second))
  expect(compiler.commit()?.version).toBe(second.version)
  expect(mostAtOnce).toBe(1)
  // Each line is taken and compiled, and each bucket of hashes is summed up.
  expect(pauses).toBeGreaterThanOrEqual(2 * ROUTES + BUCKETS)
})

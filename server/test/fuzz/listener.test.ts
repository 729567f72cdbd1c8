/**
 * The hostile connections of the parser's fuzzer, over a socket through a whole gateway: what reaches the upstream or
 * the client is what the parser accepted, in the pieces in which the network delivered it.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ConformanceListener } from '../conformance/listener.ts'
import { judgeRequests, judgeResponse } from '../conformance/through-listener.ts'
import { toConnectionBytes, toPieces } from './http1-inputs.ts'
import { Random } from './random.ts'

const seconds = Number(process.env['HEADGATE_FUZZ_SECONDS'] ?? 2)
const firstSeed = Number(process.env['HEADGATE_FUZZ_SEED'] ?? Date.now() % 1_000_000_000)
let listener: ConformanceListener

beforeAll(async () => {
  listener = await ConformanceListener.start()
})
afterAll(() => listener.close())

/** The first breach that is found until the time is over, with the seed that repeats it; none when all is well. */
async function fuzz(judge: (random: Random) => Promise<readonly string[]>): Promise<readonly string[]> {
  const endMs = performance.now() + (1000 * seconds) / 2
  for (let seed = firstSeed; performance.now() < endMs; seed++) {
    const breaches = await judge(new Random(seed))
    if (breaches.length > 0) return [`HEADGATE_FUZZ_SEED=${seed}`, ...breaches]
  }
  return []
}

test('no request reaches an upstream that was not accepted, and none changed', async () => {
  const found = await fuzz(async (random) => {
    const bytes = toConnectionBytes(random, 'request')
    // The preface of HTTP/2 belongs to another codec.
    if (bytes.toString('latin1').startsWith('PRI ')) return []
    const breaches = await judgeRequests(listener, toPieces(random, bytes))
    return breaches.length === 0 ? [] : [JSON.stringify(bytes.toString('latin1')), ...breaches]
  })
  expect(found).toEqual([])
})

test('no answer reaches a client that was not accepted, and none changed', async () => {
  const found = await fuzz(async (random) => {
    const bytes = toConnectionBytes(random, 'response')
    const breaches = await judgeResponse(listener, bytes, random.mostly('GET', ['HEAD', 'POST']))
    return breaches.length === 0 ? [] : [JSON.stringify(bytes.toString('latin1')), ...breaches]
  })
  expect(found).toEqual([])
})

/** Upstreams and targets for tests of the upstream's decisions. */
import type { UpstreamSpec } from '../src/kernel/snapshot.ts'
import { type Endpoint, toUnresolvedEndpoints } from '../src/gateway/upstream/endpoint.ts'
import { type HealthVerdicts, NO_VERDICTS } from '../src/gateway/upstream/health-board.ts'
import { Target } from '../src/gateway/upstream/target.ts'

export function testUpstream(parts: Partial<UpstreamSpec> = {}): UpstreamSpec {
  return {
    name: 'books',
    protocol: 'http1',
    targets: [{ url: 'http://127.0.0.1:9001', srv: false, weight: 1, priority: 0 }],
    loadBalancing: { algorithm: 'round-robin', hashBy: undefined },
    healthCheck: undefined,
    outlierDetection: undefined,
    circuitBreaker: undefined,
    retries: { attempts: 1, budgetPercent: 20, budgetMinPerSecond: 1, statuses: [], backoffMs: 10 },
    timeouts: { connectMs: 1_000, firstByteMs: 1_000, idleMs: 1_000, totalMs: 5_000 },
    connections: { maxPerTarget: 4, maxWaiting: 10, idleMs: 10_000 },
    tls: undefined,
    headers: [],
    resolveSeconds: 30,
    ...parts,
  }
}

export function testEndpoint(id: string, parts: Partial<Endpoint> = {}): Endpoint {
  return {
    id,
    scheme: 'http',
    authority: id,
    host: id,
    addresses: ['127.0.0.1'],
    port: 9001,
    basePath: '',
    weight: 1,
    priority: 0,
    healthSlot: 0,
    ...parts,
  }
}

export function testTarget(id: string, parts: Partial<Endpoint> = {}, verdicts: HealthVerdicts = NO_VERDICTS): Target {
  return new Target(testEndpoint(id, parts), verdicts)
}

/** The endpoint of a server that a test runs. */
export function localEndpoint(port: number, scheme: 'http' | 'https' = 'http', host = '127.0.0.1'): Endpoint {
  const [endpoint] = toUnresolvedEndpoints([{ url: `${scheme}://${host}:${port}`, srv: false, weight: 1, priority: 0 }])
  if (endpoint === undefined) throw new Error('a target without SRV is an endpoint')
  return endpoint
}

/** Numbers that look random and are the same in each run: mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

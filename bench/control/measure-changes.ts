/** One change at a time: from the call of the admin API until every gateway acts on it, and the bytes that moved. */
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../measure/statistics.ts'
import type { Admin } from './admin.ts'
import { keyHeader, keyOf, toOneRoute } from './installation.ts'
import type { Role, Wire } from './processes.ts'
import type { Figure } from './report.ts'

export interface ChangeParts {
  readonly admin: Admin
  readonly wire: Wire
  readonly gateways: readonly Role[]
}

const ROUNDS = 10
const LIMIT_MS = 30_000

interface Change {
  readonly acknowledgedMs: number
  readonly liveMs: number
  readonly bytes: number
}

export async function measureChanges(parts: ChangeParts): Promise<Figure[]> {
  const routes: Change[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const path = `/at-${Date.now()}-${round}`
    const document = toOneRoute(path)
    const change = (): Promise<unknown> =>
      parts.admin('POST', '/workspaces/default/apply', { document, source: 'bench-one' })
    routes.push(await measure(parts, change, { path: `/changing${path}`, key: keyOf(1), wanted: 200 }))
  }
  const revoked: Change[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const consumer = 100 + round
    const name = `consumer-${String(consumer).padStart(5, '0')}`
    const change = (): Promise<unknown> =>
      parts.admin('POST', `/workspaces/default/consumers/${name}/credentials/key-1/revoke?environment=production`)
    revoked.push(await measure(parts, change, { path: '/service-0001/things-0/7', key: keyOf(consumer), wanted: 401 }))
  }
  return [...toFigures('one changed route', routes), ...toFigures('one revoked key', revoked)]
}

async function measure(
  { wire, gateways }: ChangeParts,
  change: () => Promise<unknown>,
  probe: { readonly path: string; readonly key: string; readonly wanted: number },
): Promise<Change> {
  // What gateways report every second is no part of the change, as far as the two can be told apart.
  await sleep(300)
  const bytesBefore = wire.bytes()
  const startedAt = performance.now()
  let acknowledgedMs = 0
  const acknowledged = change().then(() => (acknowledgedMs = performance.now() - startedAt))
  await Promise.all(gateways.map((gateway) => untilAnswered(gateway.port, probe)))
  const liveMs = performance.now() - startedAt
  const bytes = wire.bytes() - bytesBefore
  await acknowledged
  return { acknowledgedMs, liveMs, bytes }
}

async function untilAnswered(
  port: number,
  { path, key, wanted }: { readonly path: string; readonly key: string; readonly wanted: number },
): Promise<void> {
  const untilMs = performance.now() + LIMIT_MS
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { [keyHeader]: key } })
    await response.arrayBuffer()
    if (response.status === wanted) return
    if (performance.now() > untilMs) throw new Error(`${path} is still answered ${response.status}`)
    await sleep(5)
  }
}

function toFigures(what: string, changes: readonly Change[]): Figure[] {
  const live = changes.map(({ liveMs }) => liveMs)
  const bytes = median(changes.map((change) => change.bytes))
  const slowest = Math.max(...live)
  const acknowledged = median(changes.map(({ acknowledgedMs }) => acknowledgedMs))
  return [
    {
      what: `${what}: from the call until it is live on every gateway`,
      measured: `median ${median(live).toFixed(0)} ms, slowest ${slowest.toFixed(0)} ms (acknowledged after ${acknowledged.toFixed(0)} ms)`,
      bar: '< 1 s',
      passed: slowest < 1_000,
    },
    {
      what: `${what}: bytes between control and all gateways, reports included`,
      measured: `${(bytes / 1000).toFixed(1)} kB`,
      bar: 'kilobytes',
      passed: bytes < 100_000,
    },
  ]
}

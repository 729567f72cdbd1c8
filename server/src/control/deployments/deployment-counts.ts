/** What gateways report of deployments that stand side by side: taken in once each, added up over a time. */
import type { Kysely } from 'kysely'
import { z } from 'zod'
import { LatencySketch } from '../../kernel/latency-sketch.ts'
import type { Database } from '../../db/client.ts'
import type { Tables } from '../../db/tables.ts'
import type { ReportTaker } from '../gateways/report-takers.ts'
import { LIVE_STATES } from './deployment-store.ts'

export interface CountSum {
  requests: number
  errors: number
  readonly latency: LatencySketch
}

const pairs = z.array(z.number())

export const deploymentCountsTaker: ReportTaker = {
  async take({ db, control, gateway, report }) {
    const { slot, counts = [] } = report.deployments ?? {}
    if (slot === undefined || counts.length === 0) return {}
    // A gateway speaks for its own environment alone.
    const known = await db
      .selectFrom('deployments')
      .select('id')
      .where('environment', '=', gateway.environment)
      .where('state', 'in', LIVE_STATES)
      .where(
        'id',
        'in',
        counts.map(({ deployment }) => deployment),
      )
      .execute()
    const ids = new Set(known.map(({ id }) => id))
    const rows = counts
      .filter(({ deployment }) => ids.has(deployment))
      .map(({ deployment, requests, errors, latency }) => ({
        deployment_id: deployment,
        gateway_id: gateway.id,
        slot,
        at_ms: control.clock.now(),
        requests,
        errors,
        latency: JSON.stringify(latency),
      }))
    if (rows.length === 0) return {}
    await db
      .insertInto('deployment_counts')
      .values(rows)
      .onConflict((conflict) => conflict.columns(['deployment_id', 'gateway_id', 'slot']).doNothing())
      .execute()
    return {}
  },
}

/** All gateways together, since then. */
export function sumCounts(db: Kysely<Tables>, deployment: string, sinceMs: number): Promise<CountSum> {
  return new CountWindow(deployment).sum(db, sinceMs)
}

/** What reports of others that are being written come late by at most, and their clocks differ. */
const LATE_MS = 30_000

interface ReadCounts {
  readonly atMs: number
  readonly requests: number
  readonly errors: number
  readonly latency: readonly number[]
}

/** The counts of one deployment over a time that moves on: who asks again and again reads what is new alone. */
export class CountWindow {
  private readonly deployment: string
  private readonly rows = new Map<string, ReadCounts>()
  private sinceMs = -Infinity
  private upToMs = -Infinity

  constructor(deployment: string) {
    this.deployment = deployment
  }

  /** All gateways together, since then. */
  async sum(db: Kysely<Tables>, sinceMs: number): Promise<CountSum> {
    // What is wanted again was dropped: all is read anew.
    if (sinceMs < this.sinceMs) this.upToMs = -Infinity
    this.sinceMs = sinceMs
    const found = await db
      .selectFrom('deployment_counts')
      .select(['gateway_id', 'slot', 'at_ms', 'requests', 'errors', 'latency'])
      .where('deployment_id', '=', this.deployment)
      .where('at_ms', '>', Math.max(sinceMs, this.upToMs - LATE_MS))
      .execute()
    for (const { gateway_id: gateway, slot, at_ms: atMs, requests, errors, latency } of found) {
      const key = `${gateway} ${slot}`
      // A row never changes.
      if (this.rows.has(key)) continue
      this.rows.set(key, { atMs, requests, errors, latency: pairs.parse(JSON.parse(latency)) })
      this.upToMs = Math.max(this.upToMs, atMs)
    }
    for (const [key, { atMs }] of this.rows) if (atMs <= sinceMs) this.rows.delete(key)
    return this.addUp()
  }

  private addUp(): CountSum {
    const sum: CountSum = { requests: 0, errors: 0, latency: new LatencySketch() }
    for (const { requests, errors, latency } of this.rows.values()) {
      sum.requests += requests
      sum.errors += errors
      sum.latency.merge(latency)
    }
    return sum
  }
}

/** Opens no transaction where nothing is old. Two control processes that do it at once do no harm. */
export async function forgetCounts(database: Database, beforeMs: number): Promise<void> {
  const old = database.read.selectFrom('deployment_counts').select('slot').where('at_ms', '<', beforeMs)
  if ((await old.limit(1).executeTakeFirst()) === undefined) return
  await database.write((db) => db.deleteFrom('deployment_counts').where('at_ms', '<', beforeMs).execute())
}

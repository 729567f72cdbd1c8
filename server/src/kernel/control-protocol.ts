/**
 * What a gateway and control say to each other. A gateway joins once with a token that somebody made for it, then pulls:
 * it says which snapshot it has, and is told what changed as soon as something did.
 */
import { z } from 'zod'
import { LATENCY_BUCKETS } from './latency-sketch.ts'

/** SHA-256 in hex. */
const digest = z.string().regex(/^[0-9a-f]{64}$/)

export const joinRequest = z.strictObject({
  name: z.string().min(1).max(200).meta({ description: 'What people call the gateway, such as its host name.' }),
})

export const joinAnswer = z.strictObject({
  id: z.string(),
  environment: z.string(),
  /** Its own credential from now on; shown once. */
  token: z.string(),
  /** PEM of the key that signs snapshots. */
  publicKey: z.string(),
})

export const snapshotQuery = z.strictObject({
  after: digest.optional().meta({ description: 'Root of the snapshot that the gateway has; absent: it has none.' }),
  waitSeconds: z.coerce.number().int().min(0).max(60).default(0).meta({
    description: 'How long to wait for a change when there is none.',
  }),
})

/** The keys that came after the first one, each endorsed by the one before it. */
const signers = z
  .array(z.strictObject({ publicKey: z.string().max(1000), endorsement: z.string().max(200) }))
  .max(1000)
  .default([])

const line = z.strictObject({ key: z.string(), line: z.string() })

export const snapshotAnswer = z.strictObject({
  environment: z.string(),
  seq: z.int(),
  root: digest,
  signature: z.string(),
  signers,
  /** `change`: what leads from `after` to `root`. `whole`: everything. `unknown`: compare the buckets. `same`: nothing is new. */
  kind: z.enum(['same', 'change', 'whole', 'unknown']),
  removed: z.array(z.string()),
  lines: z.array(line),
})

export const bucketsRequest = z.strictObject({ hashes: z.array(digest).length(256) })

/** The buckets that differ, each whole: what a gateway has in them besides is gone. */
export const bucketsAnswer = z.strictObject({
  environment: z.string(),
  seq: z.int(),
  root: digest,
  signature: z.string(),
  signers,
  buckets: z.array(z.strictObject({ index: z.int(), lines: z.array(line) })),
})

/** Requests of a deployment that stands beside another one, as one gateway counted them in about a second. */
const deploymentCounts = z.strictObject({
  deployment: z.string().max(100),
  requests: z.int().min(0),
  errors: z.int().min(0).meta({ description: 'Answers from 500 on.' }),
  latency: z
    .array(z.int().min(0))
    .max(2 * LATENCY_BUCKETS)
    .meta({ description: 'Bucket, count, bucket, count …' }),
})

/** Told again under the same number until control has it, so that nothing is counted twice. */
const deploymentsReport = z.strictObject({
  slot: z.int().min(0).meta({ description: 'Grows from report to report, also over a restart.' }),
  counts: z.array(deploymentCounts).max(100),
})

/** Policy, key, and the milliseconds at which the period begins and ends: a short form, since there may be thousands. */
const quotaName = [z.string().max(2_000), z.string().max(4_096), z.int(), z.int()] as const
const count = z.int().min(0)

/** What one report may hold of the totals of quotas; the rest waits for the next one. */
export const MOST_QUOTA_TOTALS = { totals: 2_000, characters: 200_000 }

const quotaReport = z.strictObject({
  after: z.int().min(0).meta({ description: 'The `upTo` of the last answer; 0: all counts are asked for.' }),
  totals: z
    .array(z.tuple([...quotaName, count]))
    .max(MOST_QUOTA_TOTALS.totals)
    .meta({ description: 'Names with what this gateway counted in the whole period.' }),
})

const quotaAnswer = z.strictObject({
  upTo: z.int(),
  /** Names with what is known of this gateway, and the sum of all others. */
  sums: z.array(z.tuple([...quotaName, count, count])),
})

/** Callers of deprecated versions that one report tells of; the others wait for the next one. */
export const MOST_CALLERS_TOLD = 500

/** Requests for a version that goes, by caller and day. */
const callerReport = z.strictObject({
  batch: z.string().max(100).meta({ description: 'Told again under the same name until control has it.' }),
  counts: z
    .array(
      z.strictObject({
        api: z.string().max(300),
        version: z.string().max(200),
        consumer: z.string().max(300),
        dayStartMs: z.int().min(0),
        requests: z.int().min(1),
        lastSeenMs: z.int().min(0),
      }),
    )
    .max(MOST_CALLERS_TOLD),
})

/** What a report may hold of the reason why a gateway does not run the latest snapshot. */
export const MOST_REFUSED_CHARS = 2_000

/** What a gateway says of itself every second. */
export const gatewayReport = z.strictObject({
  version: z.string().max(100).meta({ description: 'Version of Headgate.' }),
  root: z.string().max(64).meta({ description: 'The snapshot that all its workers run; empty for none.' }),
  refused: z.string().max(MOST_REFUSED_CHARS).default('').meta({
    description: 'Why it does not run the latest snapshot.',
  }),
  workers: z.int().min(0),
  ready: z.boolean(),
  connections: z.int().min(0).default(0),
  inFlight: z.int().min(0).default(0),
  requests: z.int().min(0).default(0).meta({ description: 'Requests since it started.' }),
  deployments: deploymentsReport.optional(),
  callers: callerReport.optional().meta({ description: 'Who called deprecated versions.' }),
  quotas: quotaReport.optional().meta({ description: 'What it counted for quotas.' }),
})

/** What control says to a report; each taker of a part of it adds a key of its own. */
export const reportAnswer = z.strictObject({ quotas: quotaAnswer.optional() })

export type JoinAnswer = z.output<typeof joinAnswer>
export type SnapshotAnswer = z.output<typeof snapshotAnswer>
export type BucketsAnswer = z.output<typeof bucketsAnswer>
export type GatewayReport = z.output<typeof gatewayReport>
export type ReportAnswer = z.output<typeof reportAnswer>
export type DeploymentCounts = z.output<typeof deploymentCounts>

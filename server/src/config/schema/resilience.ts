/** What an upstream does about failures: health checks, ejection, circuit breaker, retries and timeouts. */
import { z } from 'zod'
import { count, inheritedSeconds, seconds } from './quantities.ts'

export const healthCheck = z
  .strictObject({
    path: z
      .string()
      .regex(/^\/[^\s#]*$/, 'a path that begins with /')
      .meta({ title: 'Path', description: 'Asked with GET.' }),
    intervalSeconds: z.number().min(0.1).max(3600).default(10).meta({
      title: 'Interval',
      description: 'Time between two checks of a target.',
      unit: 'seconds',
    }),
    timeoutSeconds: z.number().min(0.05).max(600).default(2).meta({
      title: 'Timeout',
      description: 'An answer that takes longer counts as a failure.',
      unit: 'seconds',
    }),
    healthyAfter: count(2, 1, 100, {
      title: 'Healthy after',
      description: 'Successes in a row that let a target back in.',
    }),
    unhealthyAfter: count(3, 1, 100, { title: 'Unhealthy after', description: 'Failures in a row that take it out.' }),
    statuses: z.array(z.int().min(100).max(599)).min(1).default([200, 204]).meta({
      title: 'Statuses',
      description: 'Statuses that count as success.',
    }),
  })
  .meta({ title: 'Health check', description: 'Active checks of every target.' })

export const outlierDetection = z
  .strictObject({
    enabled: z.boolean().default(true).meta({ title: 'Enabled', description: 'Eject targets that keep failing.' }),
    consecutiveFailures: count(5, 1, 1000, {
      title: 'Failures in a row',
      description: '5xx answers, resets and timeouts that eject a target.',
    }),
    baseEjectionSeconds: seconds(10, { title: 'First ejection', description: 'Doubles with each ejection in a row.' }),
    maxEjectionSeconds: seconds(300, { title: 'Longest ejection', description: 'Bound of the doubling.' }),
    maxEjectedPercent: count(50, 1, 100, {
      title: 'Most ejected',
      description: 'Share of the targets that may be out at once, in percent. One always stays.',
    }),
  })
  .prefault({})
  .meta({
    title: 'Outlier detection',
    description: 'Takes targets out that fail real requests, and lets them back in.',
  })

export const circuitBreaker = z
  .strictObject({
    failurePercent: count(50, 1, 100, {
      title: 'Failures',
      description: 'Share of failures that opens it, in percent.',
    }),
    minimumRequests: count(20, 1, 1_000_000, {
      title: 'Minimum',
      description: 'Requests in the window below which it stays closed.',
    }),
    windowSeconds: z.number().min(0.1).max(3600).default(10).meta({
      title: 'Window',
      description: 'Time over which failures are counted.',
      unit: 'seconds',
    }),
    openSeconds: z.number().min(0.1).max(3600).default(10).meta({
      title: 'Open time',
      description: 'Time until one request is tried again.',
      unit: 'seconds',
    }),
  })
  .meta({ title: 'Circuit breaker', description: 'Per target: stops calling it for a while. Off unless given.' })

export const retries = z
  .strictObject({
    attempts: count(2, 0, 10, {
      title: 'Attempts',
      description: 'How often a failed request is tried again at most. 0: never.',
    }),
    budgetPercent: count(20, 0, 100, {
      title: 'Budget',
      description: 'Retries may add so much to the requests, in percent; beyond it, none are made.',
    }),
    budgetMinPerSecond: count(10, 0, 100_000, {
      title: 'Smallest budget',
      description: 'Retries each second that are allowed whatever the traffic is.',
    }),
    statuses: z.array(z.int().min(500).max(599)).default([]).meta({
      title: 'Statuses',
      description: 'Statuses of the upstream after which an idempotent request is tried again. Default: none.',
    }),
    backoffSeconds: seconds(0.025, {
      title: 'Backoff',
      description: 'Longest wait before the first retry; doubles, with jitter.',
    }),
  })
  .prefault({})
  .meta({ title: 'Retries', description: 'Made only where it is safe: idempotent requests, or when nothing was sent.' })

export const timeouts = z
  .strictObject({
    connectSeconds: seconds(5, { title: 'Connect', description: 'To open a connection, TLS included.' }, 0.01),
    firstByteSeconds: seconds(60, {
      title: 'First byte',
      description: 'From the sent request to the head of the answer.',
    }),
    idleSeconds: seconds(300, {
      title: 'Idle',
      description: 'Longest silence inside a body or a tunnel. 0: no limit.',
    }),
    totalSeconds: seconds(0, { title: 'Total', description: 'The whole exchange with all attempts. 0: no limit.' }),
  })
  .prefault({})
  .meta({ title: 'Timeouts', description: 'How long the upstream may take.' })

/** For an API or a route: what is not given comes from the API, then from the upstream. Connections are the upstream's. */
export const timeoutOverrides = z
  .strictObject({
    firstByteSeconds: inheritedSeconds({
      title: 'First byte',
      description: 'From the request to the head of the answer.',
    }),
    idleSeconds: inheritedSeconds({ title: 'Idle', description: 'Longest silence inside a body. 0: no limit.' }),
    totalSeconds: inheritedSeconds({ title: 'Total', description: 'The whole exchange. 0: no limit.' }),
  })
  .meta({ title: 'Timeouts', description: 'Replace those of the upstream.' })

export type TimeoutOverrides = z.output<typeof timeoutOverrides>

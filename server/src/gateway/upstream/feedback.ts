/**
 * What the walk tells of each attempt, and what follows from it: load, latency, ejection, circuit breaker.
 *
 * Of one attempt: `started` once, `finished` once at its very end; between them `succeeded` when a head came, `failed`
 * when none came or the body broke off, neither when the client left first.
 */
import type { UpstreamSpec } from '../../kernel/snapshot.ts'
import type { UpstreamErrorKind } from './client.ts'
import { countFailure } from './outlier.ts'
import { observeLatency } from './peak-ewma.ts'
import type { Target } from './target.ts'
import type { TargetSet } from './target-set.ts'

export type FailureKind = 'connect' | 'reset' | 'timeout' | 'protocol'

/** One attempt at a target, made by `started`. */
export interface Attempt {
  readonly target: Target
  readonly startedMs: number
  /** Number of the circuit breaker's trial that this attempt is; 0 for all others. */
  readonly trial: number
  /** Whether the target did well as far as is known; undefined before anything is. */
  good: boolean | undefined
}

export interface TargetFeedback {
  started(target: Target, nowMs: number): Attempt
  /** The head of the final response came. A 5xx counts as the target's failure. */
  succeeded(attempt: Attempt, status: number, nowMs: number): void
  failed(attempt: Attempt, kind: FailureKind, nowMs: number): void
  finished(attempt: Attempt): void
}

/** Which failure of the target an error is; undefined when it was not the target's fault. */
export function toFailureKind(kind: UpstreamErrorKind): FailureKind | undefined {
  switch (kind) {
    case 'connect':
    case 'connect-timeout':
    case 'tls':
      return 'connect'
    case 'timeout':
    case 'reset':
    case 'protocol':
      return kind
    case 'full':
    case 'request-body':
      return undefined
  }
}

/**
 * A target that fails or sheds load fast would look fast, and draw all traffic; it counts as at least this slow
 * towards peak-EWMA (the failure penalty of Finagle's and linkerd's balancers).
 */
const FAILURE_LATENCY_MS = 1_000

export function createTargetFeedback(spec: UpstreamSpec, set: TargetSet): TargetFeedback {
  const outlier = spec.outlierDetection
  const measuresLatency = spec.loadBalancing.algorithm === 'peak-ewma'

  function countOutcome(attempt: Attempt, good: boolean, nowMs: number): void {
    const { target, trial } = attempt
    attempt.good = good
    if (good) {
      target.breaker?.succeeded(trial, nowMs)
      return
    }
    target.breaker?.failed(trial, nowMs)
    if (outlier !== undefined) countFailure(target, outlier, set, nowMs)
  }

  return {
    started(target, nowMs) {
      target.inFlight++
      const trial = target.breaker === undefined ? 0 : target.breaker.begin(nowMs)
      return { target, startedMs: nowMs, trial, good: undefined }
    },
    succeeded(attempt, status, nowMs) {
      if (measuresLatency) {
        const shedsLoad = status === 502 || status === 503 || status === 504
        const latencyMs = nowMs - attempt.startedMs
        observeLatency(attempt.target, shedsLoad ? Math.max(latencyMs, FAILURE_LATENCY_MS) : latencyMs, nowMs)
      }
      countOutcome(attempt, status < 500, nowMs)
    },
    failed(attempt, _kind, nowMs) {
      if (measuresLatency) observeLatency(attempt.target, FAILURE_LATENCY_MS, nowMs)
      countOutcome(attempt, false, nowMs)
    },
    finished({ target, trial, good }) {
      target.inFlight--
      // Only a whole response ends a row of failures: a target whose bodies all break off sends good heads too.
      if (good === true) target.consecutiveFailures = 0
      target.breaker?.finished(trial)
    },
  }
}

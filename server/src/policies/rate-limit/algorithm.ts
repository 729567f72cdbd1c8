/** The three ways to count, and what each can and cannot do. */
import { maxSlidingLimit, maxTokensPerSecond, type Limiter } from '../../kernel/counters.ts'
import type { PolicyCheck } from '../../kernel/policy.ts'
import type { PolicyServices } from '../../kernel/policy-services.ts'

export const algorithms = ['token-bucket', 'sliding-window', 'fixed-window'] as const

interface LimitConfig {
  readonly algorithm: (typeof algorithms)[number]
  readonly limit: number
  readonly windowSeconds: number
  readonly burst?: number | undefined
}

/** The most that can be had at once. */
export function capacityOf({ algorithm, burst, limit }: LimitConfig): number {
  return algorithm === 'token-bucket' ? (burst ?? limit) : limit
}

export function createLimiter(config: LimitConfig, { counters, policyId }: PolicyServices): Limiter {
  const { algorithm, limit } = config
  const windowMs = config.windowSeconds * 1000
  if (algorithm === 'token-bucket') return counters.tokenBucket(policyId, limit, windowMs, capacityOf(config))
  if (algorithm === 'sliding-window') return counters.slidingWindow(policyId, limit, windowMs)
  return counters.fixedWindow(policyId, limit, windowMs)
}

export function checkAlgorithm({ algorithm, limit, windowSeconds, burst }: LimitConfig, check: PolicyCheck): void {
  if (burst !== undefined && algorithm !== 'token-bucket')
    check.report(['burst'], `has no effect on a ${algorithm}: only a token bucket has a burst`)
  if (algorithm === 'sliding-window' && limit > maxSlidingLimit)
    check.report(['limit'], `is more than a sliding window can count, ${maxSlidingLimit}: use another algorithm`)
  if (algorithm === 'token-bucket' && limit > maxTokensPerSecond * windowSeconds)
    check.report(['limit'], `is more than ${maxTokensPerSecond} a second, which no gateway reaches`)
}

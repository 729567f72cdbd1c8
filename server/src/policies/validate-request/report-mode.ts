/** The policy as an observer: what it would have refused passes and is logged, in lines that cannot flood a log. */
import type { Exchange } from '../../kernel/exchange.ts'
import type { PolicyInstance } from '../../kernel/policy.ts'
import type { PolicyServices } from '../../kernel/policy-services.ts'
import type { Problem } from '../../kernel/problem.ts'

const LINE_INTERVAL_MS = 10_000
const MAX_LOGGED_ERRORS = 5

interface WantedBody {
  readonly limitBytes: number
  wants(exchange: Exchange): boolean
}

export function createReporter(
  requestBody: WantedBody,
  judge: (exchange: Exchange) => Problem | undefined,
  services: PolicyServices,
): PolicyInstance {
  let nextLineMs = -Infinity
  let unlogged = 0
  const log = (exchange: Exchange, { definition: { code }, detail, errors }: Problem): void => {
    const nowMs = services.clock.monotonicMs()
    if (nowMs < nextLineMs) {
      unlogged++
      return
    }
    nextLineMs = nowMs + LINE_INTERVAL_MS
    const facts = {
      route: exchange.route?.id,
      request: exchange.id,
      code,
      detail,
      errors: errors?.slice(0, MAX_LOGGED_ERRORS),
    }
    services.log.warn({ policy: services.policyId, ...facts, unlogged }, 'A request would have been refused')
    unlogged = 0
  }
  return {
    requestBody: {
      limitBytes: requestBody.limitBytes,
      // Reading a body can fail, for its size or its encoding. An observer must not cause that.
      wants: (exchange) => isReadable(exchange, requestBody.limitBytes) && requestBody.wants(exchange),
    },
    request(exchange) {
      const problem = judge(exchange)
      if (problem === undefined) return undefined
      const detail = `would refuse: ${problem.definition.code} ${problem.detail ?? ''}`.trim()
      exchange.decisions?.push({ policy: services.policyId, phase: 'request', decision: 'passed', detail })
      log(exchange, problem)
      return undefined
    },
  }
}

function isReadable({ request: { body, fields } }: Exchange, limitBytes: number): boolean {
  const bodyBytes = body instanceof Uint8Array ? body.length : body?.bodyBytes
  return bodyBytes !== undefined && bodyBytes <= limitBytes && !fields.has('content-encoding')
}

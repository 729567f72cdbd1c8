/** Signed tokens (RS256, a static key set): the same one over and over, then a thousand different ones. */
import type { Bench, Scenario } from '../bench.ts'
import { runComparison } from '../comparison.ts'
import { envoy } from '../subjects/envoy.ts'
import { headgate } from '../subjects/headgate.ts'
import { standardJob, type Job } from '../subjects/subject.ts'
import { consumerName, getRequest, requestPath, traffic, type Traffic } from '../workload.ts'
import { acceptedTraffic } from './key-limit-record.ts'

const job: Job = { ...standardJob, policies: 'jwt' }

export const jwtSame = createTokenScenario('jwt-same', 'JWT, one token', 1)
export const jwtMany = createTokenScenario('jwt-many', 'JWT, 1,000 tokens in turn', 1_000)

function tokenTraffic(bench: Bench, tokens: number): Traffic {
  const requests = Array.from({ length: tokens }, (_, number) =>
    getRequest(requestPath(3, 3), ['Authorization', `Bearer ${bench.issuer.token(consumerName(number))}`]),
  )
  return traffic(requests, 200)
}

function createTokenScenario(name: string, title: string, tokens: number): Scenario {
  return {
    name,
    profiled: (bench) => ({ label: 'headgate', subject: headgate, job, traffic: tokenTraffic(bench, tokens) }),
    run: (bench) => {
      const withTokens = tokenTraffic(bench, tokens)
      return runComparison(bench, {
        title,
        contenders: [
          { label: 'headgate, key', subject: headgate, job: standardJob, traffic: acceptedTraffic() },
          { label: 'headgate', subject: headgate, job, traffic: withTokens },
          { label: 'envoy', subject: envoy, job, traffic: withTokens },
        ],
        reference: 'headgate, key',
        fixed: false,
        bars: () => [],
        notes: () => [
          'The reference is Headgate with an API key instead; nginx cannot check tokens in its open version.',
        ],
      })
    },
  }
}

/** Forwarding and nothing else: no key, no limit, no log. */
import type { Scenario } from '../bench.ts'
import { runComparison } from '../comparison.ts'
import { caddy } from '../subjects/caddy.ts'
import { envoy } from '../subjects/envoy.ts'
import { haproxy } from '../subjects/haproxy.ts'
import { headgate } from '../subjects/headgate.ts'
import { createNginx } from '../subjects/nginx.ts'
import { standardJob, type Job } from '../subjects/subject.ts'
import { traefik } from '../subjects/traefik.ts'
import { acceptedTraffic } from './key-limit-record.ts'

const job: Job = { ...standardJob, policies: 'bare' }

export const bare: Scenario = {
  name: 'bare',
  profiled: () => ({ label: 'headgate', subject: headgate, job, traffic: acceptedTraffic() }),
  run: (bench) =>
    runComparison(bench, {
      title: 'Bare proxy',
      contenders: [createNginx(), headgate, haproxy, envoy, traefik, caddy].map((subject) => ({
        label: subject.name,
        subject,
        job,
        traffic: acceptedTraffic(),
      })),
      reference: 'nginx',
      fixed: true,
      bars: () => [],
    }),
}

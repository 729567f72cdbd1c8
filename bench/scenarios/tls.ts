/** TLS 1.3 in, on kept connections; handshakes are outside of the measured time. */
import type { Scenario } from '../bench.ts'
import { cpuBar, latencyBar, runComparison } from '../comparison.ts'
import { headgate } from '../subjects/headgate.ts'
import { createNginx } from '../subjects/nginx.ts'
import { standardJob, type Job } from '../subjects/subject.ts'
import { acceptedTraffic } from './key-limit-record.ts'

const job: Job = { ...standardJob, policies: 'bare', inbound: 'tls' }

export const tls: Scenario = {
  name: 'tls',
  profiled: () => ({ label: 'headgate', subject: headgate, job, traffic: acceptedTraffic() }),
  run: (bench) =>
    runComparison(bench, {
      title: 'TLS in, bare proxy',
      contenders: [createNginx(), headgate].map((subject) => ({
        label: subject.name,
        subject,
        job,
        traffic: acceptedTraffic(),
      })),
      reference: 'nginx',
      fixed: true,
      bars: (measured) => [cpuBar(measured, 'headgate', 'nginx', 2.2), latencyBar(measured, 'headgate', 'nginx', 2)],
    }),
}

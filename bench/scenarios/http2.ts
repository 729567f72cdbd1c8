/** HTTP/2 in by prior knowledge (h2c), bare proxy: one request in flight on each of 64 connections, then ten. */
import type { Scenario } from '../bench.ts'
import type { Contender } from '../compare.ts'
import { cpuBar, latencyBar, runComparison } from '../comparison.ts'
import { headgate } from '../subjects/headgate.ts'
import { createNginx } from '../subjects/nginx.ts'
import { standardJob, type Job } from '../subjects/subject.ts'
import { acceptedTraffic } from './key-limit-record.ts'

const job: Job = { ...standardJob, policies: 'bare', inbound: 'http2' }

function contenders(streams: number): Contender[] {
  return [createNginx(), headgate].map((subject) => ({
    label: subject.name,
    subject,
    job,
    traffic: acceptedTraffic(),
    streams,
  }))
}

export const http2: Scenario = {
  name: 'http2',
  profiled: () => ({ label: 'headgate', subject: headgate, job, traffic: acceptedTraffic() }),
  run: (bench) =>
    runComparison(bench, {
      title: 'HTTP/2 in, bare proxy',
      contenders: contenders(1),
      reference: 'nginx',
      fixed: true,
      bars: (measured) => [cpuBar(measured, 'headgate', 'nginx', 1.7), latencyBar(measured, 'headgate', 'nginx', 2)],
    }),
}

export const http2Streams: Scenario = {
  name: 'http2-streams',
  run: (bench) =>
    runComparison(bench, {
      title: 'HTTP/2 in, ten requests in flight on each connection',
      contenders: contenders(10),
      reference: 'nginx',
      fixed: false,
      bars: (measured) => [cpuBar(measured, 'headgate', 'nginx', 1.7)],
    }),
}

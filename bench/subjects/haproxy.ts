/** HAProxy with a key map, a stick table as limit and a JSON log on standard output. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandOutput, hasCommand } from '../measure/process.ts'
import { apiKey, basePath, consumerName } from '../workload.ts'
import { startGateway, type Job, type Site, type Subject, type Workplace } from './subject.ts'

export const haproxy: Subject = {
  name: 'haproxy',
  version: () => commandOutput('haproxy', ['-v']).split('\n')[0]?.replace(/ - .*/, '') ?? '',
  missing: () => (hasCommand('haproxy') ? undefined : 'HAProxy is not installed: apt-get install haproxy'),
  start: (job, place) =>
    startGateway('haproxy', job, place, (site) => {
      const file = join(site.directory, 'haproxy.cfg')
      writeFileSync(file, configuration(job, site, place))
      return { command: 'haproxy', args: ['-db', '-f', file], logsToStdout: true }
    }),
}

function configuration(job: Job, site: Site, place: Workplace): string {
  return `global
  nbthread 1
  maxconn 4000
  log stdout format raw local0
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  http-reuse always
  option forwardfor
frontend clients
  bind 127.0.0.1:${site.port}${job.inbound === 'http2' ? ' proto h2' : ''}
${job.policies === 'key' ? policySteps(job, site) : ''}
  default_backend backend
backend backend
  http-request replace-path ${basePath}/(.*) /\\1
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  server backend 127.0.0.1:${place.backendPort}
`
}

function policySteps(job: Job, site: Site): string {
  const mapFile = join(site.directory, 'keys.map')
  const keys = Array.from({ length: job.keys }, (_, index) => `${apiKey(index)} ${consumerName(index)}\n`)
  writeFileSync(mapFile, keys.join(''))
  return `  log global
  unique-id-format %[uuid()]
  unique-id-header X-Request-Id
  stick-table type string len 64 size 100k expire 10m store http_req_rate(1s)
  http-request set-var(txn.consumer) req.hdr(x-api-key),map_str(${mapFile})
  http-request deny deny_status 401 unless { var(txn.consumer) -m found }
  http-request track-sc0 var(txn.consumer)
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt ${job.limit === 'never' ? 1_000_000 : 0} }
  http-request del-header x-api-key
  http-response set-header X-Request-Id %[unique-id]
  log-format '{"time":"%tr","requestId":"%ID","consumer":"%[var(txn.consumer)]","client":"%ci","method":"%HM","path":"%HU","protocol":"%HV","status":%ST,"bytesIn":%U,"bytesOut":%B,"durationMs":%Ta,"upstreamMs":%Tr}'`
}

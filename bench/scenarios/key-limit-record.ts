/** The main figure: key, limit per key, and a record of every request in an access log. */
import type { Scenario } from '../bench.ts'
import { cpuBar, formatInterval, latencyBar, memoryBar, runComparison } from '../comparison.ts'
import { cpuRatio, type Contender, type Measured } from '../compare.ts'
import { median } from '../measure/statistics.ts'
import { notMeasured, type Bar } from '../section.ts'
import { caddy } from '../subjects/caddy.ts'
import { envoy } from '../subjects/envoy.ts'
import { haproxy } from '../subjects/haproxy.ts'
import { headgate } from '../subjects/headgate.ts'
import { createNginx } from '../subjects/nginx.ts'
import { standardJob } from '../subjects/subject.ts'
import { traefik } from '../subjects/traefik.ts'
import { apiKey, getRequest, requestPath, traffic } from '../workload.ts'

/** One caller reads one book, again and again. */
export function acceptedTraffic() {
  return traffic([getRequest(requestPath(3, 3), ['X-Api-Key', apiKey(3)])], 200)
}

function contenders(): Contender[] {
  const subjects = [createNginx(), createNginx('nginx again'), headgate, haproxy, envoy, traefik, caddy]
  return subjects.map((subject) => ({ label: subject.name, subject, job: standardJob, traffic: acceptedTraffic() }))
}

export const keyLimitRecord: Scenario = {
  name: 'key-limit-record',
  profiled: () => ({ label: 'headgate', subject: headgate, job: standardJob, traffic: acceptedTraffic() }),
  run: (bench) =>
    runComparison(bench, {
      title: 'Key, limit and record',
      contenders: contenders(),
      reference: 'nginx',
      fixed: true,
      bars: (measured) => [
        cpuBar(measured, 'headgate', 'nginx', 1.6),
        cpuBar(measured, 'headgate', 'envoy', 0.5),
        cpuBar(measured, 'headgate', 'caddy', 0.3),
        latencyBar(measured, 'headgate', 'nginx', 2),
        memoryBar(measured, 'headgate', 180),
        noiseBar(measured),
      ],
      notes: (measured) => [
        '“nginx again” is the A/A row: a second nginx with the same configuration shows the noise of this run.',
        ...distanceNote(measured),
      ],
    }),
}

/** When two equal processes differ by more than 5 %, the run says nothing. */
function noiseBar(measured: Measured[]): Bar {
  const ratio = cpuRatio(measured, 'nginx again', 'nginx')
  return {
    what: 'noise, a second nginx',
    wanted: '0.95–1.05 × nginx',
    measured: ratio === undefined ? notMeasured : `${formatInterval(ratio)} ×`,
    passed: ratio !== undefined && Math.abs(ratio.median - 1) <= 0.05,
  }
}

/** How far the next goal, 1.3 × nginx, is. */
function distanceNote(measured: Measured[]): string[] {
  const micros = (label: string): number => median(measured.find((one) => one.label === label)?.cpuMicros ?? [])
  const goal = 1.3 * micros('nginx')
  const [present, excess] = [micros('headgate'), micros('headgate') - goal]
  if (Number.isNaN(excess)) return []
  const distance =
    excess <= 0 ? 'it is reached' : `${excess.toFixed(1)} µs of Headgate’s ${present.toFixed(1)} would have to go`
  return [`1.3 × nginx would be ${goal.toFixed(1)} µs: ${distance}.`]
}

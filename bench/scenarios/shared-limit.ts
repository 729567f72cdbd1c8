/** Two workers share one limit: exactly as many requests pass as it says, and the metrics show the sum of both. */
import type { Bench } from '../bench.ts'
import { runPaced } from '../load/paced.ts'
import type { HeadgateConfiguration, RunningHeadgate } from '../subjects/headgate.ts'
import { standardJob } from '../subjects/subject.ts'
import { acceptedTraffic } from './key-limit-record.ts'
import { headgateScenario, withHeadgate, type Figures } from './headgate-only.ts'

const limit = 1_000

export const sharedLimit = headgateScenario('shared-limit', 'Two workers share a limit of 1,000', (bench) =>
  withHeadgate(bench, standardJob, { workers: 2, adjust: withLimit }, (running) => measure(bench, running)),
)

/** A bucket of a day gives back a token every 86 s, longer than this takes. */
function withLimit(configuration: HeadgateConfiguration): HeadgateConfiguration {
  const policies = [{ kind: 'key-auth' }, { kind: 'rate-limit', config: { limit, windowSeconds: 86_400 } }]
  return { ...configuration, apis: configuration.apis.map((api) => ({ ...api, policies })) }
}

async function measure(bench: Bench, running: RunningHeadgate): Promise<Figures> {
  const result = await runPaced(acceptedTraffic(), {
    port: running.port,
    tls: false,
    protocol: 'http1',
    rate: 4_000,
    seconds: 2,
    directory: bench.place.directory,
  })
  if (result.completed < result.issued) throw new Error('the machine was too busy: not every request was answered')
  const admitted = result.completed - result.failed
  const metrics = await (await fetch(`http://127.0.0.1:${running.metricsPort}/metrics`)).text()
  const counts = requestCounts(metrics)
  const total = [...counts.values()].reduce((sum, value) => sum + value, 0)
  return {
    header: ['seen by', 'admitted', 'all'],
    rows: [
      ['clients', String(admitted), String(result.completed)],
      ['metrics', String(counts.get('2xx') ?? 0), String(total)],
    ],
    bars: [
      { what: 'admitted', wanted: 'exactly 1,000', measured: String(admitted), passed: admitted === limit },
      {
        what: 'the metrics show the sum',
        wanted: `${limit} of ${result.completed}`,
        measured: `${counts.get('2xx') ?? 0} of ${total}`,
        passed: counts.get('2xx') === limit && total === result.completed,
      },
    ],
    notes: [],
  }
}

/** Requests by class of status, from the Prometheus text: `headgate_requests_total{…,status="2xx"} 5`. */
function requestCounts(text: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const [, labels = '', value] of text.matchAll(/^headgate_requests_total\{([^}]*)\} (\d+)/gm)) {
    const status = /status="(\w+)"/.exec(labels)?.[1] ?? 'none'
    counts.set(status, (counts.get(status) ?? 0) + Number(value))
  }
  return counts
}

/** Requests that are turned away, the path that attackers choose: it must be cheaper than the one of accepted requests. */
import type { Scenario } from '../bench.ts'
import { cpuBar, runComparison } from '../comparison.ts'
import { headgate } from '../subjects/headgate.ts'
import { createNginx } from '../subjects/nginx.ts'
import { standardJob, type Job } from '../subjects/subject.ts'
import { apiKey, formatHttp1, getRequest, requestPath, traffic, type Traffic, type WorkRequest } from '../workload.ts'
import { acceptedTraffic } from './key-limit-record.ts'

const path = requestPath(3, 3)
const keyless: [string, string] = ['X-Client', 'catalogue-web/4.2 (linux; x64) build-77']

export const noKey = createRefusal('no-key', 'Refused: no key', standardJob, traffic([getRequest(path, keyless)], 401))

export const wrongKey = createRefusal(
  'wrong-key',
  'Refused: wrong key',
  standardJob,
  traffic([getRequest(path, ['X-Api-Key', apiKey(999_999)])], 401),
)

export const overLimit = createRefusal(
  'over-limit',
  'Refused: over the limit',
  { ...standardJob, limit: 'always' },
  traffic([getRequest(path, ['X-Api-Key', apiKey(3)])], 429),
)

/** Both gateways close the connection after these, so what is accepted for comparison also gets a connection of its own. */
export const malformed = createRefusal(
  'malformed',
  'Refused: malformed',
  standardJob,
  malformedTraffic(),
  traffic([withoutKeepAlive(getRequest(path, ['X-Api-Key', apiKey(3)]))], 200),
  ['Every malformed request costs a connection; “accepted” is a request that asks to close its connection as well.'],
)

function withoutKeepAlive(request: WorkRequest): WorkRequest {
  return { ...request, headers: [...request.headers, ['Connection', 'close']] }
}

function malformedTraffic(): Traffic {
  const good = getRequest(path, ['X-Api-Key', apiKey(3)])
  const hostless = { ...good, headers: good.headers.filter(([name]) => name !== 'Host') }
  const withText = (from: string, to: string): string => formatHttp1(good).replace(from, to)
  return {
    raw: [
      formatHttp1(hostless),
      withText('Host: ', 'Host: other.example\r\nHost: '),
      withText('Accept: ', 'Accept : '),
      withText('Cookie: ', 'Content-Length: 5x\r\nCookie: '),
    ],
    first: hostless,
    expectedStatus: 400,
  }
}

function createRefusal(
  name: string,
  title: string,
  job: Job,
  refused: Traffic,
  accepted: Traffic = acceptedTraffic(),
  notes: string[] = [],
): Scenario {
  return {
    name,
    profiled: () => ({ label: 'headgate', subject: headgate, job, traffic: refused }),
    run: (bench) =>
      runComparison(bench, {
        title,
        contenders: [
          { label: 'nginx', subject: createNginx(), job, traffic: refused },
          { label: 'headgate', subject: headgate, job, traffic: refused },
          { label: 'headgate, accepted', subject: headgate, job: standardJob, traffic: accepted },
        ],
        reference: 'nginx',
        fixed: false,
        notes: () => notes,
        bars: (measured) => [
          cpuBar(measured, 'headgate', 'nginx', 2),
          cpuBar(measured, 'headgate', 'headgate, accepted', 1),
        ],
      }),
  }
}

/** Pages of the admin API: the first, the last, and what a search finds. */
import { median, percentile } from '../measure/statistics.ts'
import type { Admin } from './admin.ts'
import type { Figure } from './report.ts'

const ROUNDS = 40
const BAR_MS = 100

const queries: readonly { readonly what: string; readonly path: string }[] = [
  { what: 'list of apis, first page', path: '/workspaces/default/apis?limit=50' },
  { what: 'list of apis, by time, from the newest', path: '/workspaces/default/apis?limit=50&sort=-updatedAt' },
  { what: 'list of consumers, first page', path: '/workspaces/default/consumers?limit=50' },
  { what: 'list of consumers, a page of 200', path: '/workspaces/default/consumers?limit=200' },
  { what: 'search among consumers, one found', path: '/workspaces/default/consumers?search=consumer-00777' },
  { what: 'search among consumers, 200 found', path: '/workspaces/default/consumers?limit=50&search=team-42' },
  { what: 'search among consumers, nothing found', path: '/workspaces/default/consumers?search=nobody-at-all' },
  { what: 'search among apis, one found', path: '/workspaces/default/apis?search=service-0500' },
]

export async function measureLists(admin: Admin): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const { what, path } of queries) {
    await admin('GET', path)
    const times: number[] = []
    for (let round = 0; round < ROUNDS; round++) times.push((await admin('GET', path)).ms)
    times.sort((a, b) => a - b)
    const p99 = percentile(times, 0.99)
    figures.push({
      what,
      measured: `median ${median(times).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
      bar: `< ${BAR_MS} ms`,
      passed: p99 < BAR_MS,
    })
  }
  return figures
}

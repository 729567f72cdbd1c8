/** 5,000 routes and 10,000 keys, asked for at random, against ten routes and ten keys. */
import type { Scenario } from '../bench.ts'
import type { Contender } from '../compare.ts'
import { cpuBar, runComparison } from '../comparison.ts'
import { headgate } from '../subjects/headgate.ts'
import { standardJob } from '../subjects/subject.ts'
import { spreadTraffic } from '../workload.ts'

const requests = 30_000

function contender(label: string, routes: number, keys: number): Contender {
  return {
    label,
    subject: headgate,
    job: { ...standardJob, routes, keys },
    traffic: spreadTraffic(routes, keys, requests),
  }
}

export const manyRoutes: Scenario = {
  name: 'many-routes',
  profiled: () => contender('5,000 routes, 10,000 keys', 5_000, 10_000),
  run: (bench) =>
    runComparison(bench, {
      title: '5,000 routes, 10,000 keys',
      contenders: [contender('10 routes, 10 keys', 10, 10), contender('5,000 routes, 10,000 keys', 5_000, 10_000)],
      reference: '10 routes, 10 keys',
      fixed: false,
      bars: (measured) => [cpuBar(measured, '5,000 routes, 10,000 keys', '10 routes, 10 keys', 1.1)],
      notes: () => [
        'Both are Headgate with key, limit and record; each is sent 30,000 different requests in a random order.',
      ],
    }),
}

/** For scenarios that ask something of Headgate alone: starts it, and says plainly when it cannot be measured. */
import type { Bench, Scenario } from '../bench.ts'
import type { Section } from '../section.ts'
import {
  headgate,
  plainHeadgate,
  startHeadgate,
  type HeadgateOptions,
  type RunningHeadgate,
} from '../subjects/headgate.ts'
import type { Job } from '../subjects/subject.ts'

export interface Figures {
  header: string[]
  rows: string[][]
  bars: Section['bars']
  notes: string[]
}

export function headgateScenario(name: string, title: string, measure: (bench: Bench) => Promise<Figures>): Scenario {
  return {
    name,
    run: async (bench) => {
      const missing = headgate.missing()
      if (missing !== undefined) return notMeasured(title, missing)
      try {
        return { title, ...(await measure(bench)) }
      } catch (error) {
        // The other scenarios still have something to say.
        return notMeasured(title, String(error).slice(0, 1_000))
      }
    },
  }
}

function notMeasured(title: string, reason: string): Section {
  const bars = [{ what: 'headgate', wanted: 'measured', measured: reason.replaceAll(/\s+/g, ' '), passed: false }]
  return { title, header: ['figure', 'value'], rows: [], bars, notes: [] }
}

/** Starts Headgate, hands it over, and stops it whatever happens. */
export async function withHeadgate<Result>(
  bench: Bench,
  job: Job,
  changes: Partial<HeadgateOptions>,
  use: (running: RunningHeadgate) => Promise<Result>,
): Promise<Result> {
  const running = await startHeadgate({ ...plainHeadgate, ...changes }, job, bench.place)
  try {
    return await use(running)
  } catch (cause) {
    throw new Error(`${String(cause).slice(0, 300)} The gateway said: ${running.said()}`, { cause })
  } finally {
    await running.stop()
  }
}

/**
 * The paced generator's own process: `paced.ts` starts it once and sends it one plan for each slice. It lives through all
 * slices because a process that has just started stalls by itself, while V8 compiles what has become hot; its own garbage
 * is collected between slices, never in one.
 */
import { readFileSync } from 'node:fs'
import { formatHttp1 } from '../workload.ts'
import { runSlice } from './paced-slice.ts'
import type { PacedPlan } from './paced.ts'

process.on('message', (planFile: string) => {
  const plan: PacedPlan = JSON.parse(readFileSync(planFile, 'utf8'))
  const texts = plan.protocol === 'http2' ? [formatHttp1(plan.first)] : plan.raw
  const requests = texts.map((text) => Buffer.from(text, 'latin1'))
  globalThis.gc?.()
  runSlice(plan, requests, (result) => process.send?.(result))
})

// The bench may be killed; its generator then has nobody to answer.
process.once('disconnect', () => process.exit())

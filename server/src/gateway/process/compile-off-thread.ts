/** Compiles a configuration in a thread of its own, so that neither serving nor health answers wait for it. */
import { Worker } from 'node:worker_threads'
import type { CompileOrder, CompileOutcome } from '../../config/compile-thread.ts'
import { toThreadUrl } from '../../kernel/thread-url.ts'

/** Far more than 5,000 routes need; a configuration that exceeds it is refused instead of ending the process. */
const MAX_HEAP_MB = 2_048

/** Resolves with the compiled snapshot or what is wrong with the files; rejects when compiling itself failed. */
export function compileOffThread(order: CompileOrder): Promise<CompileOutcome> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(toThreadUrl('../../config/compile-worker', import.meta.url), {
      workerData: order,
      name: 'compile',
      // A roomy young generation halves the time that collecting garbage takes of a large file.
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB, maxYoungGenerationSizeMb: 96 },
    })
    worker.once('message', (outcome: CompileOutcome) => resolve(outcome))
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`the thread that compiles the configuration ended with code ${code}`)))
  })
}

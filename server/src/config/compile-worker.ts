/** The entry of the thread that compiles a configuration; see `gateway/process/worker.ts` for the cache. */
import { enableCompileCache } from 'node:module'
import { workerData } from 'node:worker_threads'
import type { CompileOrder } from './compile-thread.ts'

const { cacheFolder } = workerData as CompileOrder
enableCompileCache(cacheFolder)
await import('./compile-thread.ts')

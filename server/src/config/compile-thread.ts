/**
 * What the short-lived thread does that compiles a configuration: parsing thousands of routes takes seconds and
 * hundreds of megabytes, which must not be the serving threads' and go away with the thread.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { policies } from '../policies/index.ts'
import { compileConfig } from './compile.ts'
import { ConfigError, type ConfigIssue } from './issues.ts'
import { toSnapshotLines } from './snapshot-lines.ts'
import type { UpstreamSpec, ListenerSpec } from '../kernel/snapshot.ts'

export interface CompileOrder {
  readonly path: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where compiled modules are kept between starts. */
  readonly cacheFolder: string
}

export type CompileOutcome =
  | {
      readonly kind: 'compiled'
      readonly version: string
      readonly snapshotLines: readonly string[]
      readonly upstreams: readonly UpstreamSpec[]
      readonly listener: ListenerSpec
      readonly routes: number
      readonly watched: readonly string[]
    }
  | { readonly kind: 'refused'; readonly issues: readonly ConfigIssue[]; readonly watched: readonly string[] }

const { path, environment } = workerData as CompileOrder
parentPort?.postMessage(compile())

function compile(): CompileOutcome {
  try {
    const { snapshot, watched } = compileConfig(path, environment, policies)
    const { version, upstreams, listener, routes } = snapshot
    return {
      kind: 'compiled',
      version,
      snapshotLines: toSnapshotLines(snapshot),
      upstreams,
      listener,
      routes: routes.length,
      watched,
    }
  } catch (error) {
    if (error instanceof ConfigError) return { kind: 'refused', issues: error.issues, watched: error.watched }
    throw error
  }
}

/**
 * The process that compiles a configuration: told of it by one message, answers with one, ends. The modules that it
 * needs are loaded after the cache of compiled modules is on, which saves most of its start.
 */
import { enableCompileCache } from 'node:module'
import type { ListenerSpec, UpstreamSpec } from '../kernel/snapshot.ts'
import type { ConfigIssue } from './issues.ts'

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
      /** By their keys. */
      readonly lines: ReadonlyMap<string, string>
      readonly upstreams: readonly UpstreamSpec[]
      readonly listener: ListenerSpec
      readonly routes: number
      readonly watched: readonly string[]
    }
  | { readonly kind: 'refused'; readonly issues: readonly ConfigIssue[]; readonly watched: readonly string[] }

process.once('message', (order: CompileOrder) => {
  enableCompileCache(order.cacheFolder)
  void compile(order).then((outcome) => {
    process.send?.(outcome, undefined, undefined, () => process.disconnect?.())
  })
})

async function compile({ path, environment }: CompileOrder): Promise<CompileOutcome> {
  const [{ compileConfig }, { ConfigError }, { toSnapshotLines }, { policies }] = await Promise.all([
    import('./compile.ts'),
    import('./issues.ts'),
    import('./snapshot-lines.ts'),
    import('../policies/index.ts'),
  ])
  try {
    const { snapshot, watched } = compileConfig(path, environment, policies)
    const { upstreams, listener, routes } = snapshot
    return { kind: 'compiled', ...toSnapshotLines(snapshot), upstreams, listener, routes: routes.length, watched }
  } catch (error) {
    if (error instanceof ConfigError) return { kind: 'refused', issues: error.issues, watched: error.watched }
    throw error
  }
}

/**
 * The process that compiles a configuration: told of it by one message, answers with the lines in pieces and then with
 * what came of it, ends. The modules that it needs are loaded after the cache of compiled modules is on, which saves most
 * of its start.
 */
import { enableCompileCache } from 'node:module'
import type { ListenerSpec, UpstreamSpec } from '../kernel/snapshot.ts'
import type { FileStates } from './file-states.ts'
import type { ConfigIssue } from './issues.ts'

export interface CompileOrder {
  readonly path: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where compiled modules are kept between starts. */
  readonly cacheFolder: string
}

/** What the process says: pieces of lines, as `packLines` makes them, then once what came of it. */
export type FromCompileChild = { readonly kind: 'lines'; readonly piece: Uint8Array } | CompileResult

/** Without the lines. */
export type CompileResult =
  | {
      readonly kind: 'compiled'
      readonly version: string
      readonly upstreams: readonly UpstreamSpec[]
      readonly listener: ListenerSpec
      readonly routes: number
      readonly watched: FileStates
    }
  | { readonly kind: 'refused'; readonly issues: readonly ConfigIssue[]; readonly watched: FileStates }

process.once('message', (order: CompileOrder) => {
  enableCompileCache(order.cacheFolder)
  void compile(order)
    .then(tell)
    .then(() => process.disconnect?.())
})

/** Resolves when it is on its way, so that no more than one piece waits here for its reader. */
function tell(message: FromCompileChild): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(message, undefined, undefined, (failure) => (failure === null ? resolve() : reject(failure)))
  })
}

async function compile({ path, environment }: CompileOrder): Promise<CompileResult> {
  const [{ compileConfig }, { ConfigError }, { toAllLines }, { packLines }, { policies }] = await Promise.all([
    import('./compile.ts'),
    import('./issues.ts'),
    import('./snapshot-lines.ts'),
    import('../kernel/snapshot-delivery.ts'),
    import('../policies/index.ts'),
  ])
  try {
    const { snapshot, watched } = compileConfig(path, environment, policies)
    const { upstreams, listener, routes } = snapshot
    const { version } = snapshot
    const lines = toAllLines(snapshot).map(({ key, line }) => [key, line] as const)
    for (const piece of packLines(lines)) await tell({ kind: 'lines', piece })
    return { kind: 'compiled', version, upstreams, listener, routes: routes.length, watched }
  } catch (error) {
    if (error instanceof ConfigError) return { kind: 'refused', issues: error.issues, watched: error.watched }
    throw error
  }
}

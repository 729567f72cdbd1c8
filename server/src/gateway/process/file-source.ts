/** Configuration from a file or a directory: compiled in a process of its own, followed by watching what was read. */
import { readStates } from '../../config/file-states.ts'
import { compileInChild } from './compile-in-child.ts'
import type { Compiled, CompileOutcome, ConfigSource } from './config-source.ts'
import { ConfigWatch } from './config-watch.ts'

export interface FileSourceOptions {
  readonly path: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where compiled modules are kept between starts. */
  readonly cacheFolder: string
}

export function createFileSource(options: FileSourceOptions): ConfigSource {
  // A change while the gateway starts is kept for whoever follows then.
  let hasChanged = false
  let changed = (): void => {
    hasChanged = true
  }
  let latest: Compiled | undefined
  const stopped = new AbortController()
  const files = new ConfigWatch(() => changed())
  files.follow(readStates([options.path]))
  return {
    async read(): Promise<CompileOutcome> {
      const running = latest
      // Whoever closes waits for what is being read, and nothing new is wanted any more.
      if (running !== undefined && stopped.signal.aborted) return running
      const signal = running === undefined ? undefined : stopped.signal
      try {
        const outcome = await compileInChild(options, { known: running?.lines, stopped: signal })
        if (running === undefined) files.follow(outcome.watched)
        // Half a document may well be one: it is read again when it is whole.
        else if (files.awaitNew(outcome.watched) && !stopped.signal.aborted) return running
        if (outcome.kind === 'compiled') latest = outcome
        return outcome
      } catch (cause) {
        if (running !== undefined && stopped.signal.aborted) return running
        throw cause
      }
    },
    follow(tell) {
      changed = tell
      if (hasChanged) tell()
    },
    close() {
      files.close()
      stopped.abort()
      return Promise.resolve()
    },
  }
}

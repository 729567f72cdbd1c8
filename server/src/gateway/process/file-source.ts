/** Configuration from a file or a directory: compiled in a process of its own, followed by watching what was read. */
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
  const files = new ConfigWatch(() => changed())
  files.follow([options.path])
  return {
    async read(): Promise<CompileOutcome> {
      files.beginReading()
      const outcome = await compileInChild(options, latest?.lines)
      if (outcome.kind === 'compiled') latest = outcome
      files.follow(outcome.watched)
      return outcome
    },
    follow(tell) {
      changed = tell
      if (hasChanged) tell()
    },
    close() {
      files.close()
      return Promise.resolve()
    },
  }
}

/**
 * What V8 is told before it starts. It can be told so on the command line alone: a gateway's process that was started
 * without is replaced by the same one with the flags, which keeps its id, its standard streams and its environment and
 * takes 40 ms more to start.
 *
 * V8's compilers take their memory from malloc by default, in the arenas of all threads that compile. What they give back
 * stays there, since glibc returns only what nothing lies above: 22 MB with one worker, 80 with three. Memory that V8 manages
 * itself goes back to the kernel, but 8 to 16 s later by default, so that all compilations of a gateway that gets busy lie
 * side by side: 130 MB with three workers.
 */

export const GATEWAY_FLAGS: readonly string[] = ['--managed-zone-memory', '--memory-pool-timeout=1']

/** A Node that does not know a flag does not start, and they differ from one major version to the next. */
const KNOWN_TO = /^26\./

export interface Engine {
  readonly platform: string
  /** Version of Node. */
  readonly version: string
  /** What Node itself was given. */
  readonly flags: readonly string[]
}

export const thisEngine: Engine = {
  platform: process.platform,
  version: process.versions.node,
  flags: process.execArgv,
}

/** Those that a gateway should be started with and this process was not; none where they are not known or bring nothing. */
export function missingFlags({ platform, version, flags }: Engine): string[] {
  if (platform !== 'linux' || !KNOWN_TO.test(version)) return []
  return GATEWAY_FLAGS.filter((flag) => !flags.includes(flag))
}

/** Does not return where flags are missing. To be called before anything is open, which would be lost. */
export function restartWithFlags(role: string | undefined): void {
  // What talks with a parent would lose it; that parent gives the flags itself.
  if (role !== 'gateway' || process.channel !== undefined) return
  // A debugger was told where to find this process, and may be on its way.
  if (process.execArgv.some((flag) => flag.startsWith('--inspect'))) return
  const missing = missingFlags(thisEngine)
  if (missing.length === 0 || process.execve === undefined) return
  try {
    const { argv0, execArgv, execPath, argv, env } = process
    process.execve(execPath, [argv0, ...missing, ...execArgv, ...argv.slice(1)], env)
  } catch {
    // It is not allowed here. A gateway serves without as well, and only takes more memory.
  }
}

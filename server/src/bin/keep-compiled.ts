/** Where compiled modules are kept from one start to the next: in the data folder of a role, and nowhere else. */
import { existsSync, mkdirSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

/** What keeps things between starts; all others leave nothing behind in the folder that they are called in. */
const ROLES: readonly string[] = ['start', 'control', 'gateway']
const FLAG = '--data-dir'

/** Before anything else is loaded: a third of a start's time and much memory go into compiling modules. */
export function keepCompiled(args: readonly string[], environment: Readonly<Record<string, string | undefined>>): void {
  const folder = readFlag(args) ?? (environment['HEADGATE_DATA_DIR'] || '.headgate')
  try {
    // Keys and the store come into it later, so it is this user's alone from the beginning.
    if (ROLES.includes(args[0] ?? '')) mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch {
    // The role itself says that it cannot write there.
    return
  }
  if (existsSync(folder)) enableCompileCache(join(folder, 'compile-cache'))
}

function readFlag(args: readonly string[]): string | undefined {
  const at = args.findIndex((arg) => arg === FLAG || arg.startsWith(`${FLAG}=`))
  if (at < 0) return undefined
  return args[at] === FLAG ? args[at + 1] : args[at]?.slice(FLAG.length + 1)
}

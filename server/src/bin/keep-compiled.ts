/**
 * Where compiled modules are kept from one start to the next: in the data folder of a role, and nowhere else. Node runs what
 * it finds there as it is, so a command takes no folder that merely lies where it is called, as in somebody's repository.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

/** What keeps things between starts; all others use a data folder only when they are told which. */
const ROLES: readonly string[] = ['start', 'control', 'gateway']
const FLAG = '--data-dir'

/** Before anything else is loaded: a third of a start's time and much memory go into compiling modules. */
export function keepCompiled(args: readonly string[], environment: Readonly<Record<string, string | undefined>>): void {
  const isRole = ROLES.includes(args[0] ?? '')
  const named = readFlag(args) ?? (environment['HEADGATE_DATA_DIR'] || undefined)
  const folder = named ?? (isRole ? '.headgate' : undefined)
  if (folder === undefined) return
  try {
    // Keys and the store come into it later, so it is this user's alone from the beginning.
    if (isRole) mkdirSync(folder, { recursive: true, mode: 0o700 })
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

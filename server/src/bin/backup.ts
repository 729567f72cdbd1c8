/** `headgate backup` and `headgate restore`: the whole store into one file while it is in use, and back. */
import { Command } from 'commander'
import { z } from 'zod'
import type { StoreCopyOptions } from '../control/store-copy.ts'
import { createLog, EventWriter } from '../kernel/log.ts'
import { toJson } from './client-command.ts'
import type { CommandSurroundings } from './command-surroundings.ts'
import { controlSettings } from './control-settings.ts'
import { listSettings, readSettings, SettingsError } from './settings.ts'

const storeSettings = z.strictObject({
  dataDir: controlSettings.shape.dataDir,
  databaseUrl: controlSettings.shape.databaseUrl,
})

interface StoreCommand {
  readonly name: string
  readonly summary: string
  readonly note: string
  readonly example: string
  readonly run: (options: StoreCopyOptions, force: boolean) => Promise<{ readonly rows: number }>
  readonly tell: (rows: number, file: string) => string
}

export function createBackupCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  const definition: StoreCommand = {
    name: 'backup',
    summary: 'copy the whole store into one file, while it is in use',
    note: 'Secrets in it are sealed with the master key, which is not in it: keep that apart.',
    example: 'headgate backup headgate-backup.gz',
    run: async (options) => (await import('../control/store-copy.ts')).backupStore(options),
    tell: (rows, file) => `Wrote ${rows} rows to ${file}. What is sealed in it opens with this master key only.\n`,
  }
  return createStoreCommand(definition, surroundings, exit)
}

export function createRestoreCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  const definition: StoreCommand = {
    name: 'restore',
    summary: 'put a backup in the place of what the store holds',
    note: 'Stop the control plane first. A backup from SQLite can be restored to PostgreSQL, and back.',
    example: 'headgate restore headgate-backup.gz --database-url postgres://headgate@db/headgate',
    run: async (options, force) => (await import('../control/store-copy.ts')).restoreStore(options, force),
    tell: (rows, file) => `Restored ${rows} rows from ${file}. Start with the master key that sealed them.\n`,
  }
  return createStoreCommand(definition, surroundings, exit).option('--force', 'replace everything that is there')
}

function createStoreCommand(
  definition: StoreCommand,
  surroundings: CommandSurroundings,
  exit: (code: number) => void,
): Command {
  const command = new Command(definition.name)
    .summary(definition.summary)
    .description(`${definition.summary.replace(/^./, (first) => first.toUpperCase())}. ${definition.note}`)
    .argument('<file>', 'the backup')
    .option('--json', 'write the result as JSON to standard output')
    .option('--settings <file>', 'YAML file with settings; flags and variables come before it (HEADGATE_SETTINGS)')
  for (const { flag, variable, description } of listSettings(storeSettings)) {
    command.option(`${flag} <value>`, `${description} (${variable})`)
  }
  return command
    .addHelpText('after', `\nExample:\n  $ ${definition.example}\n\nExit codes: 0 done, 1 failed, 2 wrong use.`)
    .action((file: string) => runOnStore(definition, file, command.opts(), surroundings).then(exit))
}

async function runOnStore(
  definition: StoreCommand,
  file: string,
  { json, force, ...flags }: Readonly<Record<string, unknown>>,
  surroundings: CommandSurroundings,
): Promise<number> {
  try {
    const { dataDir, databaseUrl } = readSettings(storeSettings, flags, surroundings.environment)
    const log = createLog('warn', new EventWriter(process.stderr))
    const { rows } = await definition.run({ file, dataDir, databaseUrl, log }, force === true)
    surroundings.write(json === true ? toJson({ file, rows }) : definition.tell(rows, file))
    return 0
  } catch (error) {
    const isWrongUse = error instanceof SettingsError
    if (!isWrongUse && !(error instanceof Error && error.name === 'StoreCopyError')) throw error
    surroundings.writeError(`${error.message}\n`)
    return isWrongUse ? 2 : 1
  }
}

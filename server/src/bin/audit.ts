/** `headgate audit verify`: whether the audit in the store is whole. */
import { createHash } from 'node:crypto'
import { Argument, Command } from 'commander'
import { z } from 'zod'
import type { StoreVerdict } from '../control/audit/verify-store.ts'
import { createLog, EventWriter } from '../kernel/log.ts'
import { toJson } from './client-command.ts'
import type { CommandSurroundings } from './command-surroundings.ts'
import { controlSettings } from './control-settings.ts'
import { listSettings, readSettings, SettingsError } from './settings.ts'

const storeSettings = z.strictObject({
  dataDir: controlSettings.shape.dataDir,
  databaseUrl: controlSettings.shape.databaseUrl,
})

const help = `
Compares the store with audit-head.json in the data folder, and with every head that is given: one that was exported
(GET /api/v1/audit/head) and kept elsewhere shows also that the end was cut off.

Example:
  $ headgate audit verify --head head-of-june.json

Exit codes: 0 whole, 1 not whole or not readable, 2 wrong use.`

export function createAuditCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  const command = new Command('audit')
    .summary('verify that nobody has changed the audit')
    .description('Walks through the audit in the store, without a control plane.')
    .addArgument(new Argument('<action>').choices(['verify']))
    .option('--head <file...>', 'signed heads that were exported before')
    .option('--json', 'write the result as JSON to standard output')
    .option('--settings <file>', 'YAML file with settings; flags and variables come before it (HEADGATE_SETTINGS)')
  for (const { flag, variable, description } of listSettings(storeSettings)) {
    command.option(`${flag} <value>`, `${description} (${variable})`)
  }
  return command.addHelpText('after', help).action(() => verify(command.opts(), surroundings).then(exit))
}

async function verify(
  { json, head, ...flags }: Readonly<Record<string, unknown>>,
  surroundings: CommandSurroundings,
): Promise<number> {
  try {
    const { dataDir, databaseUrl } = readSettings(storeSettings, flags, surroundings.environment)
    const log = createLog('warn', new EventWriter(process.stderr))
    const heads = Array.isArray(head) ? head.map(String) : []
    const { verifyStore } = await import('../control/audit/verify-store.ts')
    const verdict = await verifyStore({ dataDir, databaseUrl, heads, log })
    surroundings.write(json === true ? toJson(verdict) : toSentences(verdict))
    return verdict.whole ? 0 : 1
  } catch (error) {
    // Whatever keeps the store from being read is said, and is no proof of anything.
    if (!(error instanceof Error)) throw error
    surroundings.writeError(`${error.message}\n`)
    return error instanceof SettingsError ? 2 : 1
  }
}

function toSentences({ whole, entries, fault, heads }: StoreVerdict): string {
  const compared = heads.map(
    ({ seq, at, publicKey }) =>
      `Compared with the head of ${at}: entry ${seq}, signed by ${toFingerprint(publicKey)}.\n`,
  )
  const result = whole
    ? `The audit is whole: ${entries} entries.\n`
    : `The audit is NOT whole: entry ${fault?.seq}: ${fault?.detail}. ${entries} entries are right.\n`
  return compared.join('') + result
}

function toFingerprint(publicKey: string): string {
  return `SHA256:${createHash('sha256').update(publicKey).digest('base64url')}`
}

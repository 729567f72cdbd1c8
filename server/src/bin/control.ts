/** `headgate control`: runs the control plane alone. */
import { setFlagsFromString } from 'node:v8'
import { Command } from 'commander'
import { parseTrustedProxies } from '../control/caller-address.ts'
import { ControlStartError, startControl } from '../control/control-process.ts'
import { createJoinToken } from '../control/gateways/create-join-token.ts'
import { createLog, EventWriter } from '../kernel/log.ts'
import type { CommandSurroundings } from './command-surroundings.ts'
import { controlSettings } from './control-settings.ts'
import { listSettings, readSettings, SettingsError } from './settings.ts'
import { endSoon, isListenError, stopSignal, tellParent, toListenSentence } from './running.ts'
import { readVersion } from './version.ts'

const example = `
Example:
  $ headgate control
  $ HEADGATE_DATABASE_URL=postgres://headgate@db/headgate headgate control --control-bind 0.0.0.0

Exit codes: 0 stopped, 1 could not start, 2 wrong use.`

/** A gateway that the same start begins joins at once. */
const JOIN_MINUTES = 5
/**
 * By how much the heap may outgrow what lives in it before V8 collects. Of itself V8 waits until it is four times as
 * large, and a process that once in a while works through a whole installation keeps that size.
 */
const HEAP_GROWTH_PERCENT = 25
const MB = 1024 * 1024

export function createControlCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  const command = new Command('control')
    .summary('run the control plane: admin API and publishing')
    .description('Runs the control plane on its store; gateways join it and pull their configuration.')
    .option('--settings <file>', 'YAML file with settings; flags and variables come before it (HEADGATE_SETTINGS)')
  for (const { flag, variable, description } of listSettings(controlSettings)) {
    command.option(`${flag} <value>`, `${description} (${variable})`)
  }
  return command
    .addHelpText('after', example)
    .action((flags: Record<string, unknown>) => runControl(flags, surroundings, exit))
}

async function runControl(
  flags: Readonly<Record<string, unknown>>,
  surroundings: CommandSurroundings,
  exit: (code: number) => void,
): Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`)
  try {
    const settings = readSettings(controlSettings, flags, surroundings.environment)
    const stopped = stopSignal(() => undefined)
    const control = await startControl({
      version: readVersion(),
      dataDir: settings.dataDir,
      databaseUrl: settings.databaseUrl,
      masterKey: settings.masterKey,
      adminToken: settings.adminToken,
      environment: settings.environment,
      publicUrl: settings.controlPublicUrl,
      trustedProxies: parseTrustedProxies(settings.controlTrustedProxies),
      documents: {
        allowPrivateAddresses: settings.importPrivate,
        hosts: settings.importHosts.split(',').filter((host) => host !== ''),
        mostKeptBytes: settings.workspaceDocumentMb * MB,
      },
      host: settings.controlBind,
      webhookPrivate: settings.webhookPrivate,
      port: settings.controlPort,
      log: createLog(settings.logLevel, new EventWriter(process.stderr)),
    })
    if (control.freshToken !== undefined && process.send === undefined) {
      surroundings.write(`Admin token, shown this once: ${control.freshToken}\n`)
    }
    tellParent({ kind: 'ready', port: control.port, token: control.freshToken, isNew: control.isNew })
    process.on('message', (message: { readonly kind?: unknown }) => {
      if (message.kind !== 'join-token') return
      void createJoinToken(control.control, settings.environment, JOIN_MINUTES).then(({ token }) =>
        tellParent({ kind: 'join-token', token }),
      )
    })
    // Hearing its parent must not keep a process that has nothing left to do.
    process.channel?.unref()
    await stopped
    await control.stop()
    exit(0)
    endSoon()
  } catch (error) {
    const isWrongUse = error instanceof SettingsError
    if (isWrongUse || error instanceof ControlStartError) {
      surroundings.writeError(`${error.message}\n`)
      exit(isWrongUse ? 2 : 1)
    } else if (isListenError(error)) {
      surroundings.writeError(`${toListenSentence(error)}\n`)
      exit(1)
    } else {
      throw error
    }
  }
}

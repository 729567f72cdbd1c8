/** `headgate gateway`: runs the data plane, from files or from a control plane. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { ConfigRefused, GatewayProcess } from '../gateway/process/gateway-process.ts'
import type { ConfigSource } from '../gateway/process/config-source.ts'
import { createFileSource } from '../gateway/process/file-source.ts'
import { createLog, EventWriter, type Log } from '../kernel/log.ts'
import type { CommandSurroundings } from './command-surroundings.ts'
import { gatewayRoleSettings, listSettings, readSettings, SettingsError, type GatewayRoleSettings } from './settings.ts'
import { endSoon, isListenError, orphaned, stopSignal, tellParent, toListenSentence } from './running.ts'
import { readVersion } from './version.ts'

const example = `
Example:
  $ headgate gateway --config headgate.yaml
  $ HEADGATE_GATEWAY_PORT=80 headgate gateway --config /etc/headgate --workers 4
  $ HEADGATE_NODE_TOKEN=hg_join_… headgate gateway --control-url https://control.example.com

The configuration is read again when its files change, or on SIGHUP. SIGTERM and SIGINT drain and stop.
Exit codes: 0 stopped, 1 could not start, 2 wrong use.`

export function createGatewayCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  const command = new Command('gateway')
    .summary('run the gateway from configuration files or a control plane')
    .description(
      'Runs the gateway on configuration files or on what a control plane publishes, and takes changes without a restart.',
    )
    .option('--settings <file>', 'YAML file with settings; flags and variables come before it (HEADGATE_SETTINGS)')
  for (const { key, flag, variable, description } of listSettings()) {
    command.option(key === 'debug' ? flag : `${flag} <value>`, `${description} (${variable})`)
  }
  return command
    .addHelpText('after', example)
    .action((flags: Record<string, unknown>) => runGateway(flags, surroundings, exit))
}

/** Files when there are some, else the control plane; never both. */
async function createSource(
  settings: GatewayRoleSettings,
  environment: CommandSurroundings['environment'],
  log: Log,
): Promise<ConfigSource> {
  const { config, controlUrl, dataDir } = settings
  if (config !== undefined && controlUrl !== undefined) {
    throw new SettingsError('Give --config to run from files or --control-url to run from a control plane, not both.')
  }
  if (config !== undefined) {
    return createFileSource({ path: config, environment, cacheFolder: join(dataDir, 'compile-cache') })
  }
  if (controlUrl === undefined) {
    throw new SettingsError(
      'Say what to run: --config FILE or DIRECTORY (HEADGATE_CONFIG), or --control-url URL (HEADGATE_CONTROL_URL).',
    )
  }
  // Loaded here alone: a gateway that runs from files does not carry it.
  const { openControlSource } = await import('../gateway/process/open-control-source.ts')
  const { nodeToken, nodeKeyFile = join(homedir(), '.config', 'headgate', 'node.key') } = settings
  return openControlSource({
    urls: controlUrl.split(','),
    joinToken: nodeToken,
    dataDir,
    nodeKeyFile,
    version: readVersion(),
    log,
  })
}

async function runGateway(
  flags: Readonly<Record<string, unknown>>,
  surroundings: CommandSurroundings,
  exit: (code: number) => void,
): Promise<void> {
  try {
    const settings = readSettings(gatewayRoleSettings, flags, surroundings.environment)
    const events = new EventWriter(process.stderr)
    const log = createLog(settings.logLevel, events)
    const source = await createSource(settings, surroundings.environment, log)
    const gateway = new GatewayProcess({
      version: readVersion(),
      source,
      workers: settings.workers,
      host: settings.bind,
      port: settings.gatewayPort,
      tlsPort: settings.gatewayTlsPort,
      metricsHost: settings.metricsBind,
      metricsPort: settings.metricsPort,
      debug: settings.debug,
      log,
      events,
      logLevel: settings.logLevel,
      cacheFolder: join(settings.dataDir, 'compile-cache'),
      dataFolder: settings.dataDir,
    })
    // Before the start: whoever reads that the gateway is ready may send a signal at once.
    const told = stopSignal(() => void gateway.reload())
    // A role of a tree outlives its parent; what npx started must not outlive npx.
    const stopped = process.send === undefined ? Promise.race([told, orphaned()]) : told
    const started = gateway.start().then(() => tellParent({ kind: 'ready', port: gateway.ports.port }))
    // A first start waits as long as control is away, unless it is told to stop.
    await Promise.race([started, stopped])
    await stopped
    await gateway.stop()
    exit(0)
    endSoon()
  } catch (error) {
    if (error instanceof SettingsError) {
      surroundings.writeError(`${error.message}\n`)
      exit(2)
    } else if (error instanceof ConfigRefused || isJoinError(error)) {
      surroundings.writeError(`${error.message}\n`)
      exit(1)
    } else if (isListenError(error)) {
      surroundings.writeError(`${toListenSentence(error)}\n`)
      exit(1)
    } else {
      throw error
    }
  }
}

/** By its name: what joins is loaded only where there is a control plane. */
function isJoinError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'JoinError'
}

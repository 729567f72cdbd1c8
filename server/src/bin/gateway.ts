/** `headgate gateway`: runs the data plane from files, with no control plane. */
import { join } from 'node:path'
import { Command } from 'commander'
import { ConfigRefused, GatewayProcess } from '../gateway/process/gateway-process.ts'
import { createLog } from '../kernel/log.ts'
import type { CommandSurroundings } from './command-surroundings.ts'
import { listSettings, readSettings, SettingsError } from './settings.ts'
import { readVersion } from './version.ts'

const example = `
Example:
  $ headgate gateway --config headgate.yaml
  $ HEADGATE_GATEWAY_PORT=80 headgate gateway --config /etc/headgate --workers 4

The configuration is read again when its files change, or on SIGHUP. SIGTERM and SIGINT drain and stop.
Exit codes: 0 stopped, 1 could not start, 2 wrong use.`

export function createGatewayCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  const command = new Command('gateway')
    .summary('run the gateway from configuration files')
    .description('Runs the gateway on a configuration file or directory, and takes changes of it without a restart.')
    .option('--settings <file>', 'YAML file with settings; flags and variables come before it (HEADGATE_SETTINGS)')
  for (const { key, flag, variable, description } of listSettings()) {
    command.option(key === 'debug' ? flag : `${flag} <value>`, `${description} (${variable})`)
  }
  return command
    .addHelpText('after', example)
    .action((flags: Record<string, unknown>) => runGateway(flags, surroundings, exit))
}

async function runGateway(
  flags: Readonly<Record<string, unknown>>,
  surroundings: CommandSurroundings,
  exit: (code: number) => void,
): Promise<void> {
  try {
    const settings = readSettings(flags, surroundings.environment)
    if (settings.config === undefined) {
      throw new SettingsError('Say what to run: --config FILE or --config DIRECTORY, or set HEADGATE_CONFIG.')
    }
    const gateway = new GatewayProcess({
      version: readVersion(),
      configPath: settings.config,
      environment: surroundings.environment,
      workers: settings.workers,
      host: settings.bind,
      port: settings.gatewayPort,
      tlsPort: settings.gatewayTlsPort,
      metricsHost: settings.metricsBind,
      metricsPort: settings.metricsPort,
      debug: settings.debug,
      log: createLog(settings.logLevel),
      logLevel: settings.logLevel,
      cacheFolder: join(settings.dataDir, 'compile-cache'),
    })
    // Before the start: whoever reads that the gateway is ready may send a signal at once.
    const stopped = stopSignal(() => void gateway.reload())
    await gateway.start()
    await stopped
    await gateway.stop()
    exit(0)
  } catch (error) {
    if (error instanceof SettingsError) {
      surroundings.writeError(`${error.message}\n`)
      exit(2)
    } else if (error instanceof ConfigRefused) {
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

/** Resolves when the process is told to stop; a second signal ends it at once. */
function stopSignal(reload: () => void): Promise<void> {
  process.on('SIGHUP', reload)
  return new Promise((resolve) => {
    const stop = (): void => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        process.off(signal, stop)
        process.once(signal, () => process.exit(1))
      }
      resolve()
    }
    process.once('SIGTERM', stop)
    process.once('SIGINT', stop)
  })
}

interface ListenError extends Error {
  readonly code: string
  readonly port: number
}

function isListenError(error: unknown): error is ListenError {
  return (
    error instanceof Error && 'syscall' in error && error.syscall === 'listen' && 'port' in error && 'code' in error
  )
}

function toListenSentence({ code, port }: ListenError): string {
  if (code === 'EADDRINUSE') return `Port ${port} is taken. Stop what listens there, or choose another port.`
  if (code === 'EACCES') return `Port ${port} may not be opened by this user. Choose one above 1023.`
  return `Port ${port} could not be opened (${code}).`
}

/** `headgate start`: control and gateway in one process tree on embedded storage. */
import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Command } from 'commander'
import { z } from 'zod'
import { createLog, EventWriter, type Log } from '../kernel/log.ts'
import type { CommandSurroundings } from './command-surroundings.ts'
import { controlSettings } from './control-settings.ts'
import { demoProgram, findDemo, publishDemo, whatToTry } from './demo.ts'
import { missingFlags, thisEngine } from './engine-flags.ts'
import { Role } from './process-tree.ts'
import { endSoon, orphaned, stopSignal } from './running.ts'
import { gatewayRoleSettings, listSettings, readSettings, SettingsError } from './settings.ts'

const { config: _config, controlUrl: _url, nodeToken: _token, ...ofGateway } = gatewayRoleSettings.shape

export const startSettings = z.strictObject({
  ...ofGateway,
  ...controlSettings.shape,
  demo: z
    .boolean()
    .default(true)
    .meta({ description: 'Publish an example to try at the first start.', variable: 'HEADGATE_DEMO' }),
  demoPort: z
    .int()
    .min(1)
    .max(65_535)
    .default(9001)
    .meta({ description: 'Port of the backend of the example.', variable: 'HEADGATE_DEMO_PORT' }),
})

type StartSettings = z.output<typeof startSettings>

const example = `
Example:
  $ headgate start
  $ headgate start --no-demo --data-dir /var/lib/headgate

SIGTERM and SIGINT drain the gateway, then stop the control plane.
Exit codes: 0 stopped, 1 could not start, 2 wrong use.`

export function createStartCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  const command = new Command('start')
    .summary('run everything: control plane and gateway')
    .description('Runs the control plane and a gateway on embedded storage, each as a process of its own.')
    .option('--settings <file>', 'YAML file with settings; flags and variables come before it (HEADGATE_SETTINGS)')
  for (const { key, flag, variable, description } of listSettings(startSettings)) {
    if (key === 'demo') command.option('--no-demo', `start without the example (${variable}=false)`)
    else command.option(key === 'debug' ? flag : `${flag} <value>`, `${description} (${variable})`)
  }
  return command
    .addHelpText('after', example)
    .action((flags: Record<string, unknown>) => runStart(flags, surroundings, exit))
}

async function runStart(
  { demo, ...flags }: Readonly<Record<string, unknown>>,
  surroundings: CommandSurroundings,
  exit: (code: number) => void,
): Promise<void> {
  const roles: Role[] = []
  try {
    // Commander gives `demo: true` when `--no-demo` was not said, which is not the same as its being asked for.
    const given = demo === false ? { ...flags, demo } : flags
    const settings = readSettings(startSettings, given, surroundings.environment)
    await checkPorts(settings)
    const stopped = Promise.race([stopSignal(() => undefined), orphaned()])
    await startRoles(settings, roles, surroundings)
    await stopped
    await stopRoles(roles)
    exit(0)
    endSoon()
  } catch (error) {
    await stopRoles(roles)
    if (!(error instanceof Error)) throw error
    surroundings.writeError(`${error.message}\n`)
    exit(error instanceof SettingsError ? 2 : 1)
  }
}

async function startRoles(settings: StartSettings, roles: Role[], surroundings: CommandSurroundings): Promise<void> {
  const log = createLog(settings.logLevel, new EventWriter(process.stderr))
  const environment = toEnvironment(settings, surroundings.environment)
  const program = join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? 'headgate.ts' : 'headgate.js')
  const demoFolder = settings.demo ? findDemo() : undefined
  const marker = join(settings.dataDir, 'demo')
  if (demoFolder !== undefined && (existsSync(marker) || !existsSync(join(settings.dataDir, 'master.key')))) {
    roles.push(startBookshop(demoFolder, settings, environment, log))
  }
  const control = new Role({
    name: 'control',
    file: program,
    args: ['control'],
    environment: () => Promise.resolve(environment),
    log,
  })
  roles.push(control)
  const { port, token, isNew } = await control.start()
  // At once: whatever fails below, this installation never shows it again.
  if (token !== undefined) surroundings.write(`\nAdmin token, shown this once: ${token}\n`)
  control.keep()
  const controlUrl = `http://127.0.0.1:${port}`
  if (isNew === true && demoFolder !== undefined) {
    await publishDemo(demoFolder, controlUrl, token ?? settings.adminToken ?? '', settings.demoPort)
    writeFileSync(marker, '')
  }
  // A control plane that chose its port keeps it when it is started again.
  environment['HEADGATE_CONTROL_PORT'] = String(port)
  const gatewayFolder = join(settings.dataDir, 'gateway')
  const gateway = new Role({
    name: 'gateway',
    file: program,
    args: ['gateway'],
    nodeFlags: missingFlags(thisEngine),
    environment: async () => ({
      ...environment,
      HEADGATE_DATA_DIR: gatewayFolder,
      HEADGATE_CONTROL_URL: controlUrl,
      ...(existsSync(join(gatewayFolder, 'node-identity.json'))
        ? {}
        : { HEADGATE_NODE_TOKEN: (await control.ask('join-token')).token }),
    }),
    log,
  })
  roles.push(gateway)
  const { port: gatewayPort } = await gateway.start()
  gateway.keep()
  const urls = { gateway: `http://127.0.0.1:${gatewayPort}`, control: controlUrl, token }
  surroundings.write(demoFolder === undefined ? toPlainWords(urls) : whatToTry(urls))
}

function startBookshop(folder: string, settings: StartSettings, environment: Environment, log: Log): Role {
  const bookshop = new Role({
    name: 'bookshop',
    file: demoProgram(folder),
    args: [],
    environment: () => Promise.resolve({ ...environment, PORT: String(settings.demoPort) }),
    log,
  })
  // It says nothing when it serves; what calls it waits for its health.
  bookshop.start().catch(() => undefined)
  bookshop.keep()
  return bookshop
}

type Environment = Record<string, string | undefined>

/** The settings as the variables by which the roles read them. */
function toEnvironment(settings: StartSettings, inherited: Readonly<Environment>): Environment {
  const variables = listSettings(startSettings).flatMap(({ key, variable }) => {
    const value: unknown = Reflect.get(settings, key)
    // Settings are texts, numbers and truth values, which JSON and the environment write alike.
    return value === undefined ? [] : [[variable, typeof value === 'string' ? value : JSON.stringify(value)] as const]
  })
  return { ...inherited, ...Object.fromEntries(variables), HEADGATE_CONFIG: undefined, HEADGATE_SETTINGS: undefined }
}

async function stopRoles(roles: readonly Role[]): Promise<void> {
  for (const role of roles.toReversed()) await role.stop()
}

/** Says at once which port is taken, instead of a role that ends in the middle. */
async function checkPorts(settings: StartSettings): Promise<void> {
  const ports = {
    HEADGATE_GATEWAY_PORT: settings.gatewayPort,
    HEADGATE_CONTROL_PORT: settings.controlPort,
    HEADGATE_METRICS_PORT: settings.metricsPort,
    ...(settings.demo ? { HEADGATE_DEMO_PORT: settings.demoPort } : {}),
  }
  for (const [variable, port] of Object.entries(ports)) {
    if (port === 0 || (await isFree(port))) continue
    throw new Error(`Port ${port} is taken. Free it, or set ${variable} to another one.`)
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host: '127.0.0.1' }, () => probe.close(() => resolve(true)))
  })
}

function toPlainWords({ gateway, control }: { readonly gateway: string; readonly control: string }): string {
  return `\nHeadgate serves APIs on ${gateway} and its admin API on ${control}/api/v1. Ctrl-C ends it.\n`
}

/** `headgate doctor`: finds what is wrong with an installation, and says what to do. */
import { Command } from 'commander'
import { z } from 'zod'
import { checkStore } from '../../control/doctor/check-store.ts'
import type { Finding } from '../../control/doctor/finding.ts'
import { systemClock } from '../../kernel/clock.ts'
import { createLog, EventWriter } from '../../kernel/log.ts'
import { toJson } from '../client-command.ts'
import type { CommandSurroundings } from '../command-surroundings.ts'
import { controlSettings } from '../control-settings.ts'
import { gatewayRoleSettings, listSettings, readSettings, SettingsError } from '../settings.ts'
import { checkControl } from './check-control.ts'
import { checkDataFolder, checkDisk, checkNode, checkPort } from './check-machine.ts'

const { gatewayPort, metricsPort, bind, metricsBind } = gatewayRoleSettings.shape
const { controlPort, controlBind, dataDir, databaseUrl, masterKey } = controlSettings.shape

const doctorSettings = z.strictObject({
  gatewayPort,
  metricsPort,
  bind,
  metricsBind,
  controlPort,
  controlBind,
  dataDir,
  databaseUrl,
  masterKey,
})

const example = `
Example:
  $ headgate doctor
  $ headgate doctor --json --data-dir /var/lib/headgate

It takes the settings of the control plane and the gateway, and changes nothing.
Exit codes: 0 nothing is wrong, 1 something is, 2 wrong use.`

const SIGNS = { ok: '✓', warning: '!', wrong: '✗', skipped: '·' } as const

export function createDoctorCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  const command = new Command('doctor')
    .summary('find what is wrong with an installation, and say what to do')
    .description('Looks at Node, ports, data folder, disk, store, master key, clocks, gateways and certificates.')
    .option('--json', 'write the findings as JSON to standard output')
    .option('--url <url>', 'control plane (HEADGATE_URL)')
    .option('--settings <file>', 'YAML file with settings; flags and variables come before it (HEADGATE_SETTINGS)')
  for (const { flag, variable, description } of listSettings(doctorSettings)) {
    command.option(`${flag} <value>`, `${description} (${variable})`)
  }
  return command.addHelpText('after', example).action(async () => {
    const { json, url, ...flags } = command.opts()
    try {
      const findings = await examine(flags, typeof url === 'string' ? { url } : {}, surroundings)
      const isWell = findings.every(({ state }) => state !== 'wrong')
      surroundings.write(json === true ? toJson({ ok: isWell, findings }) : toText(findings))
      exit(isWell ? 0 : 1)
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error
      surroundings.writeError(`${error.message}\n`)
      exit(2)
    }
  })
}

async function examine(
  flags: Readonly<Record<string, unknown>>,
  connection: { readonly url?: string },
  surroundings: CommandSurroundings,
): Promise<Finding[]> {
  const settings = readSettings(doctorSettings, flags, surroundings.environment)
  const log = createLog('fatal', new EventWriter(process.stderr))
  const ports = [
    ['HEADGATE_GATEWAY_PORT', settings.gatewayPort, settings.bind],
    ['HEADGATE_CONTROL_PORT', settings.controlPort, settings.controlBind],
    ['HEADGATE_METRICS_PORT', settings.metricsPort, settings.metricsBind],
  ] as const
  return [
    checkNode(process.versions.node),
    ...(await Promise.all(ports.map(([variable, port, host]) => checkPort(variable, port, host)))),
    ...checkDataFolder(settings.dataDir),
    checkDisk(settings.dataDir),
    ...(await checkStore({ ...settings, clock: systemClock, log })),
    ...(await checkControl(connection, surroundings, () => systemClock.now())),
  ]
}

function toText(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ check, state, detail, remedy }) => [
    `${SIGNS[state]} ${check}: ${detail}`,
    ...(remedy === undefined ? [] : [`    ${remedy}`]),
  ])
  const wrong = findings.filter(({ state }) => state === 'wrong').length
  const warnings = findings.filter(({ state }) => state === 'warning').length
  const summary = wrong === 0 ? 'Nothing is wrong' : wrong === 1 ? 'One thing is wrong' : `${wrong} things are wrong`
  return [...lines, warnings === 0 ? `${summary}.` : `${summary}; warnings: ${warnings}.`, ''].join('\n')
}

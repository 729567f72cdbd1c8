/** The command line: a flat list of commands. Exit codes: 0 done, 1 failed, 2 wrong use. */
import { Command, CommanderError } from 'commander'
import type { CommandSurroundings } from './command-surroundings.ts'
import { restartWithFlags } from './engine-flags.ts'
import { keepCompiled } from './keep-compiled.ts'
import { readSecret } from './read-secret.ts'

restartWithFlags(process.argv[2])
keepCompiled(process.argv.slice(2), process.env)

// Whoever reads the output may stop, as `head` does. A gateway goes on then, and all others have nothing more to say.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (!('code' in error && error.code === 'EPIPE')) throw error
  })
}

const surroundings: CommandSurroundings = {
  environment: process.env,
  write: (line) => process.stdout.write(line),
  writeError: (line) => process.stderr.write(line),
  readSecret: (prompt) => readSecret(process.stdin, process.stderr, prompt),
}
const exit = (code: number): void => {
  process.exitCode = code
}

const program = new Command('headgate')
  .description('Headgate, a self-hosted API management platform.')
  .addHelpText('after', '\nExample:\n  $ headgate validate headgate.yaml')
  .exitOverride()

/** Each command by its name, loaded when it is asked for: a gateway must not carry what only `validate` needs. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.ts')).createStartCommand(surroundings, exit),
  control: async () => (await import('./control.ts')).createControlCommand(surroundings, exit),
  gateway: async () => (await import('./gateway.ts')).createGatewayCommand(surroundings, exit),
  login: async () => (await import('./login.ts')).createLoginCommand(surroundings, exit),
  apply: async () => (await import('./apply.ts')).createApplyCommand(surroundings, exit),
  diff: async () => (await import('./apply.ts')).createDiffCommand(surroundings, exit),
  export: async () => (await import('./export.ts')).createExportCommand(surroundings, exit),
  import: async () => (await import('./import.ts')).createImportCommand(surroundings, exit),
  deploy: async () => (await import('./deploy.ts')).createDeployCommand(surroundings, exit),
  deployments: async () => (await import('./deployments.ts')).createDeploymentsCommand(surroundings, exit),
  promote: async () => (await import('./deploy.ts')).createPromoteCommand(surroundings, exit),
  abort: async () => (await import('./release.ts')).createReleaseCommand('abort', surroundings, exit),
  switch: async () => (await import('./release.ts')).createReleaseCommand('switch', surroundings, exit),
  preview: async () => (await import('./release.ts')).createPreviewCommand(surroundings, exit),
  approve: async () => (await import('./release.ts')).createReleaseCommand('approve', surroundings, exit),
  reject: async () => (await import('./release.ts')).createReleaseCommand('reject', surroundings, exit),
  rollback: async () => (await import('./deploy.ts')).createRollbackCommand(surroundings, exit),
  lint: async () => (await import('./lint.ts')).createLintCommand(surroundings, exit),
  validate: async () => (await import('./validate.ts')).createValidateCommand(surroundings, exit),
  backup: async () => (await import('./backup.ts')).createBackupCommand(surroundings, exit),
  restore: async () => (await import('./backup.ts')).createRestoreCommand(surroundings, exit),
  doctor: async () => (await import('./doctor/doctor.ts')).createDoctorCommand(surroundings, exit),
  audit: async () => (await import('./audit.ts')).createAuditCommand(surroundings, exit),
  version: async () => (await import('./version.ts')).createVersionCommand(surroundings),
}

const asked = commands[process.argv[2] ?? '']
for (const load of asked === undefined ? Object.values(commands) : [asked]) {
  const command = await load()
  program.addCommand(command.copyInheritedSettings(program))
  for (const nested of command.commands) nested.copyInheritedSettings(command)
}

try {
  await program.parseAsync()
} catch (error) {
  // Commander has written what was wrong, or the help that was asked for.
  if (!(error instanceof CommanderError)) throw error
  exit(error.exitCode === 0 ? 0 : 2)
}

/** The command line: a flat list of commands. Exit codes: 0 done, 1 failed, 2 wrong use. */
import { Command, CommanderError } from 'commander'
import { createGatewayCommand } from './gateway.ts'
import { createValidateCommand, type CommandSurroundings } from './validate.ts'
import { createVersionCommand } from './version.ts'

const surroundings: CommandSurroundings = {
  environment: process.env,
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
}
const exit = (code: number): void => {
  process.exitCode = code
}

const program = new Command('headgate')
  .description('API gateway and API management in one program.')
  .addHelpText('after', '\nExample:\n  $ headgate validate headgate.yaml')
  .exitOverride()

const commands = [
  createGatewayCommand(surroundings, exit),
  createValidateCommand(surroundings, exit),
  createVersionCommand(surroundings),
]

for (const command of commands) {
  program.addCommand(command.copyInheritedSettings(program))
}

try {
  await program.parseAsync()
} catch (error) {
  // Commander has written what was wrong, or the help that was asked for.
  if (!(error instanceof CommanderError)) throw error
  exit(error.exitCode === 0 ? 0 : 2)
}

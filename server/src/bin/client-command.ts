/** What all commands that talk to a control plane have in common: their options, their errors, their exit codes. */
import { Command } from 'commander'
import { ConfigError, toIssueLine } from '../config/issues.ts'
import { AdminError, findConnection, type Connection } from './admin-client.ts'
import type { CommandSurroundings } from './command-surroundings.ts'

export interface ClientFlags {
  readonly url?: string
  readonly workspace?: string
  readonly json?: boolean
}

export interface ClientCommand {
  readonly name: string
  readonly summary: string
  /** A command line that works. */
  readonly example: string
  /** More arguments and options. */
  extend?(command: Command): void
  /** Does it and returns the exit code. */
  run(connection: Connection, flags: Readonly<Record<string, unknown>>, args: readonly string[]): Promise<number>
}

export function createClientCommand(
  definition: ClientCommand,
  surroundings: CommandSurroundings,
  exit: (code: number) => void,
): Command {
  const command = new Command(definition.name)
    .summary(toSummary(definition.summary))
    .description(definition.summary)
    .option('--url <url>', 'control plane (HEADGATE_URL)')
    .option('--workspace <name>', 'workspace (HEADGATE_WORKSPACE); by default the one called default')
    .option('--json', 'write the result as JSON to standard output')
    .addHelpText(
      'after',
      `\nExample:\n  $ ${definition.example}\n\nThe token comes from HEADGATE_TOKEN or headgate login.`,
    )
  definition.extend?.(command)
  return command.action(async () => {
    const flags = command.opts()
    try {
      exit(await definition.run(findConnection(flags, surroundings), flags, command.args))
    } catch (error) {
      exit(report(error, surroundings))
    }
  })
}

/** As the list of commands has it: one phrase, in the middle of a line. */
function toSummary(sentence: string): string {
  return sentence.replace(/^./, (first) => first.toLowerCase()).replace(/\.$/, '')
}

/** Writes what the operator can mend; anything else is a fault of ours and thrown on. */
function report(error: unknown, surroundings: CommandSurroundings): number {
  if (error instanceof ConfigError) {
    surroundings.writeError(`${error.issues.map(toIssueLine).join('\n')}\n`)
    return 1
  }
  if (!(error instanceof AdminError)) throw error
  surroundings.writeError(`${error.message}\n`)
  return 1
}

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

/** `headgate apply` and `headgate diff`: makes an environment say what files say, or says what would change. */
import type { Command } from 'commander'
import { z } from 'zod'
import { callAdmin, toWorkspacePath, type Connection } from './admin-client.ts'
import { createClientCommand, toJson } from './client-command.ts'
import type { CommandSurroundings } from './command-surroundings.ts'
import { readConfiguration } from './read-configuration.ts'

const answer = z.looseObject({
  environment: z.string(),
  changed: z.boolean(),
  outcomes: z.array(
    z.looseObject({
      kind: z.string(),
      name: z.string(),
      action: z.string(),
      reason: z.string().optional(),
      changes: z.array(
        z.looseObject({ pointer: z.string(), before: z.unknown().optional(), after: z.unknown().optional() }),
      ),
    }),
  ),
})

type Applied = z.output<typeof answer>

const SIGNS: Readonly<Record<string, string>> = { created: '+', changed: '~', removed: '-', 'held-back': '!' }

export function createApplyCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  return createClientCommand(
    {
      name: 'apply',
      summary: 'Make an environment say what files say, all of it or nothing.',
      example: 'headgate apply -f headgate.yaml --environment production',
      extend: addOptions,
      async run(connection, flags) {
        const applied = await send(connection, flags, surroundings, false)
        surroundings.write(flags['json'] === true ? toJson(applied) : toLines(applied, 'Applied to'))
        // Not all of it is there: a pipeline should not go on as if it were.
        return applied.outcomes.some(({ action }) => action === 'held-back') ? 1 : 0
      },
    },
    surroundings,
    exit,
  )
}

export function createDiffCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  return createClientCommand(
    {
      name: 'diff',
      summary: 'Say what apply would change. Exit code 3 when something would.',
      example: 'headgate diff -f headgate.yaml',
      extend: addOptions,
      async run(connection, flags) {
        const applied = await send(connection, flags, surroundings, true)
        surroundings.write(flags['json'] === true ? toJson(applied) : toLines(applied, 'Would change'))
        return applied.changed ? 3 : 0
      },
    },
    surroundings,
    exit,
  )
}

function addOptions(command: Command): void {
  command
    .requiredOption('-f, --file <path>', 'configuration file, or a directory of them')
    .option('--environment <name>', 'by default the default environment')
    .option('--allow-breaking <reason>', 'publish what breaks callers of a version; the audit keeps the reason')
    .option('--source <name>', 'who manages this; only what the same source applied before is removed', 'cli')
}

async function send(
  connection: Connection,
  flags: Readonly<Record<string, unknown>>,
  surroundings: CommandSurroundings,
  dryRun: boolean,
): Promise<Applied> {
  const { file, environment, source, allowBreaking: reason } = flags
  const allowBreaking = reason === undefined ? undefined : { reason }
  const configuration = await readConfiguration(String(file), surroundings.environment)
  const path = `${toWorkspacePath(connection, 'apply')}?dryRun=${dryRun}`
  return answer.parse(
    await callAdmin(connection, 'POST', path, { ...configuration, environment, source, allowBreaking }),
  )
}

function toLines({ environment, changed, outcomes }: Applied, what: string): string {
  const lines = outcomes
    // What stays as it is, though the files say something else, comes with a reason.
    .filter(({ action, reason }) => action !== 'unchanged' || reason !== undefined)
    .flatMap(({ kind, name, action, changes, reason }) => [
      `${SIGNS[action] ?? ' '} ${kind} ${name}${reason === undefined ? '' : `: ${reason}`}`,
      ...(action === 'changed' ? changes.map(toChangeLine) : []),
    ])
  if (lines.length === 0) return `${environment} says all of this already.\n`
  return [changed ? `${what} ${environment}:` : `Nothing changes in ${environment}:`, ...lines, ''].join('\n')
}

function toChangeLine({ pointer, before, after }: { pointer: string; before?: unknown; after?: unknown }): string {
  const show = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value))
  return `    ${pointer}: ${show(before)} → ${show(after)}`
}

/** `headgate abort`, `switch`, `preview`, `approve` and `reject`: what is done with a deployment that is not simply live. */
import type { Command } from 'commander'
import { z } from 'zod'
import { callAdmin, toWorkspacePath } from './admin-client.ts'
import { createClientCommand, toJson } from './client-command.ts'
import type { CommandSurroundings } from './command-surroundings.ts'
import { toText } from './deploy.ts'

/** Each is an operation of the admin API of the same name. */
const SUMMARIES = {
  abort: 'Take a canary away, or a deployment that stands ready or awaits approval.',
  switch: 'Make the deployment that stands ready serve; what served stands ready then.',
  approve: 'Approve a deployment that awaits it.',
  reject: 'Reject a deployment that awaits approval.',
} as const

export function createReleaseCommand(
  verb: keyof typeof SUMMARIES,
  surroundings: CommandSurroundings,
  exit: (code: number) => void,
): Command {
  return createClientCommand(
    {
      name: verb,
      summary: SUMMARIES[verb],
      example: `headgate ${verb} deployment_01a2014aa2357cd38424f1cbfc75d964`,
      extend: (command) => {
        command.argument('<deployment>', 'its id')
        if (verb !== 'approve') command.option('--reason <text>', 'why, for the record')
      },
      async run(connection, { reason, json }, [id = '']) {
        const path = toWorkspacePath(connection, 'deployments', id, verb)
        surroundings.write(toText(await callAdmin(connection, 'POST', path, { reason }), json))
        return 0
      },
    },
    surroundings,
    exit,
  )
}

const preview = z.strictObject({ header: z.string(), token: z.string() })

export function createPreviewCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  return createClientCommand(
    {
      name: 'preview',
      summary: 'Make the token with which requests get a deployment that stands ready, or a canary, before all others.',
      example: 'headgate preview deployment_01a2014aa2357cd38424f1cbfc75d964',
      extend: (command) => command.argument('<deployment>', 'its id'),
      async run(connection, { json }, [id = '']) {
        const path = toWorkspacePath(connection, 'deployments', id, 'preview')
        const answer = preview.parse(await callAdmin(connection, 'POST', path, {}))
        surroundings.write(json === true ? toJson(answer) : `${answer.header}: ${answer.token}\n`)
        return 0
      },
    },
    surroundings,
    exit,
  )
}

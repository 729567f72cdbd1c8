/** `headgate deploy` and `headgate rollback`: what is live, and what was. */
import type { Command } from 'commander'
import { z } from 'zod'
import { callAdmin } from './admin-client.ts'
import { createClientCommand, toJson } from './client-command.ts'
import type { CommandSurroundings } from './command-surroundings.ts'

const deployment = z.looseObject({
  id: z.string(),
  api: z.string(),
  version: z.string(),
  revision: z.number(),
  environment: z.string(),
  state: z.string(),
})

export function createDeployCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  return createClientCommand(
    {
      name: 'deploy',
      summary: 'Deploy a revision of an API version to an environment.',
      example: 'headgate deploy books 1.0.0 --environment production',
      extend: (command) => {
        command
          .argument('<api>', 'name of the API')
          .argument('<version>', 'its version')
          .option('--revision <number>', 'by default the latest', Number)
          .option('--environment <name>', 'by default the default environment')
          .option('--reason <text>', 'why, for the record')
      },
      async run(connection, { revision, environment, reason, json }, [api, version]) {
        const path = `/workspaces/${encodeURIComponent(connection.workspace)}/deployments`
        const body = { api, version, revision, environment, reason }
        surroundings.write(toText(await callAdmin(connection, 'POST', path, body), json))
        return 0
      },
    },
    surroundings,
    exit,
  )
}

export function createRollbackCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  return createClientCommand(
    {
      name: 'rollback',
      summary: 'Bring back what was live before a deployment.',
      example: 'headgate rollback deployment_01a2014aa2357cd38424f1cbfc75d964',
      extend: (command) => {
        command
          .argument('<deployment>', 'id of the deployment to undo')
          .option('--reason <text>', 'why, for the record')
      },
      async run(connection, { reason, json }, [id = '']) {
        const workspace = encodeURIComponent(connection.workspace)
        const path = `/workspaces/${workspace}/deployments/${encodeURIComponent(id)}/rollback`
        surroundings.write(toText(await callAdmin(connection, 'POST', path, { reason }), json))
        return 0
      },
    },
    surroundings,
    exit,
  )
}

function toText(answer: unknown, json: unknown): string {
  if (json === true) return toJson(answer)
  const { api, version, revision, environment, state, id } = deployment.parse(answer)
  return `${api} ${version} revision ${revision} is ${state} in ${environment} (${id}).\n`
}

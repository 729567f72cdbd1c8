/** `headgate deploy`, `promote` and `rollback`: what is live, what will be, and what was. */
import type { Command } from 'commander'
import { AdminError, callAdmin, toWorkspacePath, type Connection } from './admin-client.ts'
import { addCanaryOptions, toStrategy } from './canary-options.ts'
import { createClientCommand, toJson } from './client-command.ts'
import type { CommandSurroundings } from './command-surroundings.ts'
import { deployment, readDeployments } from './deployments.ts'

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
          .option('--strategy <name>', 'direct, blue-green or canary', 'direct')
          .option('--reason <text>', 'why, for the record')
        addCanaryOptions(command)
      },
      async run(connection, { revision, environment, reason, json, ...how }, [api, version]) {
        const path = toWorkspacePath(connection, 'deployments')
        const body = { api, version, revision, environment, reason, ...toStrategy(how) }
        surroundings.write(toText(await callAdmin(connection, 'POST', path, body), json))
        return 0
      },
    },
    surroundings,
    exit,
  )
}

export function createPromoteCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  return createClientCommand(
    {
      name: 'promote',
      summary: 'Give a canary more of the callers, or deploy in one environment what is live in another.',
      example: 'headgate promote books 1.0.0 --from staging --to production',
      extend: (command) => {
        command
          .argument('<deployment-or-api>', 'id of a deployment that is under way, or name of an API')
          .argument('[version]', 'of the API')
          .option('--percent <number>', 'share of the callers of a canary; by default all of them', Number)
          .option('--from <environment>', 'where the version is live')
          .option('--to <environment>', 'where its revision goes')
          .option('--strategy <name>', 'direct, blue-green or canary', 'direct')
          .option('--reason <text>', 'why, for the record')
      },
      async run(connection, flags, [subject = '', version]) {
        const { percent, reason, json } = flags
        const path = toWorkspacePath(connection, 'deployments')
        const answer =
          version === undefined
            ? await callAdmin(connection, 'POST', `${path}/${encodeURIComponent(subject)}/promote`, { percent, reason })
            : await carryOver(connection, path, { api: subject, version }, flags)
        surroundings.write(toText(answer, json))
        return 0
      },
    },
    surroundings,
    exit,
  )
}

/** Deploys to one environment the very revision that is live in another. */
async function carryOver(
  connection: Connection,
  path: string,
  { api, version }: { readonly api: string; readonly version: string },
  { from, to, strategy, reason }: Readonly<Record<string, unknown>>,
) {
  if (typeof from !== 'string' || typeof to !== 'string') {
    throw new AdminError('Say from where to where: --from staging --to production')
  }
  for await (const live of readDeployments(connection, { environment: from, state: 'active' })) {
    if (live.api !== api || live.version !== version) continue
    const why = reason ?? `promoted from ${from}`
    const body = { api, version, revision: live.revision, environment: to, strategy, reason: why }
    return await callAdmin(connection, 'POST', path, body)
  }
  throw new AdminError(`${api} ${version} is not live in ${from}.`)
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
        const path = toWorkspacePath(connection, 'deployments', id, 'rollback')
        surroundings.write(toText(await callAdmin(connection, 'POST', path, { reason }), json))
        return 0
      },
    },
    surroundings,
    exit,
  )
}

export function toText(answer: unknown, json: unknown): string {
  if (json === true) return toJson(answer)
  const { api, version, revision, environment, state, percent, id } = deployment.parse(answer)
  const share = state === 'progressing' && percent !== undefined ? ` with ${percent} % of the callers` : ''
  const hint = state === 'standby' ? `Try it: headgate preview ${id}\n` : ''
  return `${api} ${version} revision ${revision} is ${state} in ${environment}${share} (${id}).\n${hint}`
}

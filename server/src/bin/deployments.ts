/** `headgate deployments`: what is live or waits, with the ids that promote, switch, approve, abort and rollback take. */
import type { Command } from 'commander'
import { z } from 'zod'
import { callAdmin, toWorkspacePath, type Connection } from './admin-client.ts'
import { createClientCommand, toJson } from './client-command.ts'
import type { CommandSurroundings } from './command-surroundings.ts'

export const deployment = z.looseObject({
  id: z.string(),
  api: z.string(),
  version: z.string(),
  revision: z.number(),
  environment: z.string(),
  state: z.string(),
  percent: z.number().optional(),
})

type Deployment = z.output<typeof deployment>

const page = z.looseObject({ items: z.array(deployment), next: z.string().optional() })

/** All others are history. */
const PRESENT_STATES = ['active', 'progressing', 'standby', 'awaiting-approval']

/** All deployments that the filters leave, page by page, the latest first. */
export async function* readDeployments(
  connection: Connection,
  filters: Readonly<Record<string, string>>,
): AsyncGenerator<Deployment> {
  const path = toWorkspacePath(connection, 'deployments')
  let cursor: Record<string, string> = {}
  for (;;) {
    const query = new URLSearchParams({ ...filters, limit: '200', ...cursor })
    const { items, next } = page.parse(await callAdmin(connection, 'GET', `${path}?${query.toString()}`))
    yield* items
    if (next === undefined) return
    cursor = { cursor: next }
  }
}

export function createDeploymentsCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  return createClientCommand(
    {
      name: 'deployments',
      summary: 'List deployments with their ids: what is live, stands ready or awaits approval.',
      example: 'headgate deployments --environment production',
      extend: (command) => {
        command
          .option('--environment <name>', 'by default all environments')
          .option('--state <name>', 'only those in this state, such as superseded, aborted or rolled-back for what was')
      },
      async run(connection, { environment, state, json }) {
        const where = typeof environment === 'string' ? { environment } : undefined
        const found: Deployment[] = []
        for (const each of typeof state === 'string' ? [state] : PRESENT_STATES) {
          for await (const one of readDeployments(connection, { ...where, state: each })) found.push(one)
        }
        surroundings.write(json === true ? toJson({ items: found }) : toTable(found))
        return 0
      },
    },
    surroundings,
    exit,
  )
}

/** One line for each, those of a version together. */
function toTable(deployments: readonly Deployment[]): string {
  const rows = deployments.map(({ id, environment, api, version, revision, state, percent }) => {
    const share = state === 'progressing' && percent !== undefined ? ` ${percent} %` : ''
    return [environment, `${api} ${version}`, `revision ${revision}`, `${state}${share}`, id]
  })
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
  return lines.length === 0 ? 'There are none.\n' : `${lines.toSorted().join('\n')}\n`
}

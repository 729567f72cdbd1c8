/** `headgate import openapi`: from an OpenAPI document to a published API. */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { z } from 'zod'
import { AdminError, callAdmin } from './admin-client.ts'
import { createClientCommand, toJson } from './client-command.ts'
import type { CommandSurroundings } from './command-surroundings.ts'

const answer = z.looseObject({
  api: z.string(),
  version: z.string(),
  environment: z.string(),
  basePath: z.string(),
  routes: z.number(),
  key: z.string().optional(),
})

const LIMIT_MS = 60_000
const MOST_BYTES = 32 * 1024 * 1024

export function createImportCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  const openapi = createClientCommand(
    {
      name: 'openapi',
      summary:
        'Publish an API from its OpenAPI document, with a key to try it; without --publish, say what that would do.',
      example: 'headgate import openapi https://api.example.com/openapi.json --publish',
      extend: (command) => {
        command
          .argument('<url-or-file>', 'OpenAPI 3.0, 3.1 or Swagger 2.0, JSON or YAML')
          .option('--publish', 'do it; else it is only checked')
          .option('--name <name>', 'name of the API; by default from its title')
          .option('--base-path <path>', 'public path; by default / and the name')
          .option('--upstream <url>', 'where it runs; by default the first server of the document')
          .option('--environment <name>', 'by default the default environment')
      },
      async run(connection, flags, [place = '']) {
        const { publish, name, basePath, upstream: upstreamUrl, environment, json } = flags
        const document = await readDocument(place)
        const workspace = encodeURIComponent(connection.workspace)
        const path = `/workspaces/${workspace}/imports?dryRun=${publish !== true}`
        const body = { document, name, basePath, upstreamUrl, environment }
        const imported = answer.parse(await callAdmin(connection, 'POST', path, body))
        surroundings.write(json === true ? toJson(imported) : toText(imported, publish === true))
        return 0
      },
    },
    surroundings,
    exit,
  )
  return new Command('import')
    .summary('bring an API in from its document')
    .description('Brings an API in from its document.')
    .addCommand(openapi)
}

/** The text of a file of this machine, or of what a URL answers; within a bound. */
async function readDocument(place: string): Promise<string> {
  if (!/^https?:\/\//.test(place)) {
    try {
      return readFileSync(place, 'utf8')
    } catch (cause) {
      throw new AdminError(`${place} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      })
    }
  }
  try {
    const response = await fetch(place, { signal: AbortSignal.timeout(LIMIT_MS) })
    if (!response.ok) throw new AdminError(`${place} answers ${response.status}.`)
    const pieces: Uint8Array[] = []
    let length = 0
    for await (const piece of response.body ?? []) {
      length += piece.length
      if (length > MOST_BYTES) throw new AdminError(`${place} is larger than ${MOST_BYTES} bytes.`)
      pieces.push(piece)
    }
    return Buffer.concat(pieces).toString('utf8')
  } catch (cause) {
    if (cause instanceof AdminError) throw cause
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause)
    throw new AdminError(`${place} cannot be fetched: ${reason}`, { cause })
  }
}

function toText(
  { api, version, environment, basePath, routes, key }: z.output<typeof answer>,
  isDone: boolean,
): string {
  const what = `${api} ${version} with ${routes} routes under ${basePath} in ${environment}`
  if (!isDone) return `Would publish ${what}. Add --publish to do it.\n`
  const trial = key === undefined ? '' : `Key of the consumer "test", shown this once: ${key}\n`
  return `Published ${what}.\n${trial}`
}

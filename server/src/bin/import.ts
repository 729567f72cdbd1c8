/** `headgate import openapi`: from an OpenAPI document to a published API. */
import { Command } from 'commander'
import { z } from 'zod'
import { callAdmin, toWorkspacePath } from './admin-client.ts'
import { importPlace } from './bundle-document.ts'
import { createClientCommand, toJson } from './client-command.ts'
import type { CommandSurroundings } from './command-surroundings.ts'

const counts = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => z.looseObject(shape).optional()

const answer = z.looseObject({
  api: z.string(),
  version: z.string(),
  environment: z.string(),
  basePath: z.string(),
  routes: z.number(),
  key: z.string().optional(),
  findings: z.array(z.looseObject({ outcome: z.string(), pointer: z.string(), message: z.string() })),
  report: z.looseObject({
    lint: counts({ errors: z.number(), warnings: z.number() }),
    changes: counts({ breaking: z.number(), safe: z.number() }),
  }),
})

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
          .option('--allow-breaking <reason>', 'publish what breaks callers of the version; the audit keeps the reason')
      },
      async run(connection, flags, [place = '']) {
        const { publish, name, basePath, upstream, environment, json, allowBreaking: reason } = flags
        const { text: document, proposal } = await importPlace(place)
        const path = `${toWorkspacePath(connection, 'imports')}?dryRun=${publish !== true}`
        // Only here it is known what a relative address of a server is relative to.
        const upstreamUrl = upstream ?? proposal.servers[0]
        const allowBreaking = reason === undefined ? undefined : { reason }
        const body = { document, name, basePath, upstreamUrl, environment, allowBreaking }
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

type Answer = z.output<typeof answer>

function toText(imported: Answer, isDone: boolean): string {
  const { api, version, environment, basePath, routes, key } = imported
  const what = `${api} ${version} with ${routes} routes under ${basePath} in ${environment}`
  const notes = toNotes(imported)
  if (!isDone) return `Would publish ${what}. Add --publish to do it.\n${notes}`
  const trial =
    key === undefined
      ? `No new key: the consumer "test" has one, or ${environment} makes none.\n`
      : `Key of the consumer "test", shown this once: ${key}\n`
  return `Published ${what}.\n${trial}${notes}`
}

function toNotes({ findings, report: { lint, changes } }: Answer): string {
  const mended = findings.map(({ outcome, pointer, message }) => `  ${outcome} ${pointer}: ${message}`)
  const lintLine =
    lint === undefined || lint.errors + lint.warnings === 0
      ? []
      : [`  lint: ${lint.errors} errors, ${lint.warnings} warnings (headgate lint lists them)`]
  const changeLine =
    changes === undefined || changes.breaking + changes.safe === 0
      ? []
      : [`  changes: ${changes.breaking} breaking, ${changes.safe} others`]
  return [...mended, ...lintLine, ...changeLine].map((line) => `${line}\n`).join('')
}

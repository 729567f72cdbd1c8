/** `headgate export`: writes what is live as the files that would make it so. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { z } from 'zod'
import { escapeReferences } from '../config/substitute.ts'
import { AdminError, callAdmin, toWorkspacePath } from './admin-client.ts'
import { createClientCommand, toJson } from './client-command.ts'
import type { CommandSurroundings } from './command-surroundings.ts'

const answer = z.looseObject({ document: z.looseObject({}), files: z.record(z.string(), z.string()) })

export function createExportCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  return createClientCommand(
    {
      name: 'export',
      summary: 'Write what is live in an environment as configuration: secrets as references, keys as hashes.',
      example: 'headgate export --directory ./configuration',
      extend: (command) => {
        command
          .option('--environment <name>', 'by default the default environment')
          .option('--directory <path>', 'write headgate.yaml and its OpenAPI documents there; else to standard output')
      },
      async run(connection, { environment, directory, json }) {
        const query = typeof environment === 'string' ? `?environment=${encodeURIComponent(environment)}` : ''
        const path = `${toWorkspacePath(connection, 'export')}${query}`
        const { document, files } = answer.parse(await callAdmin(connection, 'GET', path))
        if (json === true) surroundings.write(toJson({ document, files }))
        else if (typeof directory !== 'string') surroundings.write(toYaml(document))
        else {
          writeBelow(directory, 'headgate.yaml', toYaml(document))
          for (const [name, text] of Object.entries(files)) writeBelow(directory, name, text)
          surroundings.write(`Wrote headgate.yaml and ${Object.keys(files).length} documents to ${directory}.\n`)
        }
        return 0
      },
    },
    surroundings,
    exit,
  )
}

function toYaml(document: unknown): string {
  return stringify(escaped(document), { lineWidth: 120, aliasDuplicateObjects: false })
}

/** References to secrets stay; what else looks like a reference is text, and written so that it stays text. */
function escaped(value: unknown): unknown {
  if (typeof value === 'string') return escapeReferences(value)
  if (Array.isArray(value)) return value.map(escaped)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, escaped(inner)]))
}

/** Names come from the control plane: none may lead out of the directory. */
function writeBelow(directory: string, name: string, text: string): void {
  if (!/^(?:\.\/)?(?:[A-Za-z0-9_][A-Za-z0-9._-]*\/)*[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name)) {
    throw new AdminError(`The control plane names a file ${JSON.stringify(name)}, which is not written.`)
  }
  const path = join(directory, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/** `headgate version`: which Headgate this is, and on what it runs. */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { z } from 'zod'
import type { CommandSurroundings } from './command-surroundings.ts'

const packageFile = z.object({ version: z.string() })

export function createVersionCommand({ write }: CommandSurroundings): Command {
  return new Command('version')
    .summary('print the version')
    .description('Prints the version of Headgate and of the Node that runs it.')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  $ headgate version --json')
    .action(({ json }: { json?: boolean }) => {
      const facts = { headgate: readVersion(), node: process.versions.node }
      write(json === true ? `${JSON.stringify(facts)}\n` : `headgate ${facts.headgate} (Node ${facts.node})\n`)
    })
}

/** The version of this package; the file is two levels up from the sources and from the built files alike. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return packageFile.parse(JSON.parse(text)).version
}

/** `headgate login`: keeps where a control plane is and a token for it. */
import { Command } from 'commander'
import { AdminError, callAdmin, keepConnection } from './admin-client.ts'
import type { CommandSurroundings } from './command-surroundings.ts'

const example = `
Example:
  $ echo "$TOKEN" | headgate login --url https://headgate.example.com

The token is asked for, or read from standard input, so that it stands in no list of processes and no history of a shell.
Exit codes: 0 kept, 1 refused, 2 wrong use.`

export function createLoginCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  return new Command('login')
    .summary('keep a token for a control plane')
    .description('Checks a token with a control plane and keeps it for later commands.')
    .option(
      '--url <url>',
      'control plane (HEADGATE_URL)',
      surroundings.environment['HEADGATE_URL'] ?? 'http://127.0.0.1:8081',
    )
    .addHelpText('after', example)
    .action(async ({ url }: { readonly url: string }) => {
      try {
        const token = (await surroundings.readSecret(`Token for ${url}, which is not shown: `)).trim()
        if (token === '') throw new AdminError('No token was given. Type it, or send it to standard input.')
        await callAdmin({ url, token }, 'GET', '/workspaces')
        const path = keepConnection({ url, token }, surroundings)
        surroundings.write(`Logged in to ${url}; kept in ${path}.\n`)
        exit(0)
      } catch (error) {
        if (!(error instanceof AdminError)) throw error
        surroundings.writeError(`${error.message}\n`)
        exit(1)
      }
    })
}

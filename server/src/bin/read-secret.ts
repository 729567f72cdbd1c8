/** Reads a secret from standard input: all of it from a pipe; a line from a terminal, which does not show it. */
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { Writable, type Readable } from 'node:stream'

export async function readSecret(
  input: Readable & { readonly isTTY?: boolean },
  output: Writable,
  prompt: string,
): Promise<string> {
  if (input.isTTY !== true) return await text(input)
  output.write(prompt)
  // As a terminal, so that it is not the terminal itself that echoes what is typed.
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: unseen, terminal: true })
  const line = await new Promise<string>((resolve) => {
    lines.once('line', resolve)
    lines.once('SIGINT', () => lines.close())
    lines.once('close', () => resolve(''))
  })
  lines.close()
  output.write('\n')
  return line
}

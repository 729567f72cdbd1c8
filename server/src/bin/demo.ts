/** The example of a first start: a small bookshop, published through the admin API as a user would publish an own API. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { isJsonObject } from '../kernel/json.ts'

export const DEMO_KEY = 'acme-demo-key'

/** The folder of the example: in a checkout, or in the packed module. */
export function findDemo(): string {
  const checkout = join(import.meta.dirname, '../../../examples/bookshop')
  return existsSync(checkout) ? checkout : join(import.meta.dirname, '../demo')
}

/** The bookshop's program in the folder. */
export function demoProgram(folder: string): string {
  const source = join(folder, 'server.ts')
  return existsSync(source) ? source : join(folder, 'server.js')
}

/** Applies the example's configuration; rejects with what the admin API says. */
export async function publishDemo(folder: string, controlUrl: string, token: string, demoPort: number): Promise<void> {
  const text = readFileSync(join(folder, 'headgate.yaml'), 'utf8')
    .replaceAll('${PORT:-9001}', String(demoPort))
    .replaceAll('${ACME_KEY}', DEMO_KEY)
  const document: unknown = parse(text)
  if (!isJsonObject(document)) throw new TypeError('the configuration of the example is a map')
  const spec = 'books.openapi.yaml'
  const response = await fetch(`${controlUrl}/api/v1/workspaces/default/apply`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ document, files: { [spec]: readFileSync(join(folder, spec), 'utf8') }, source: 'demo' }),
  })
  if (!response.ok) throw new Error(`the example was not published: ${await response.text()}`)
}

export function whatToTry(urls: {
  readonly gateway: string
  readonly control: string
  /** Only when it was made by this start. */
  readonly token: string | undefined
}): string {
  const { gateway, control, token } = urls
  const variables = `HEADGATE_URL=${control} HEADGATE_TOKEN=${token ?? 'TOKEN'}`
  const whose = token === undefined ? '\n     (TOKEN is the admin token that the first start printed.)' : ''
  const withKey = `-H 'x-api-key: ${DEMO_KEY}'`
  return `
Headgate serves APIs on ${gateway} and its admin API on ${control}/api/v1.
In another terminal, try:

  1. A request without a key. Headgate refuses it; the bookshop behind it never sees it.
     curl -i ${gateway}/bookshop/books

  2. The same with a key.
     curl -i ${withKey} ${gateway}/bookshop/books

  3. Six bulk reads, where five a minute are allowed: the last one is refused.
     for i in 1 2 3 4 5 6; do curl -s -o /dev/null -w '%{http_code}\\n' ${withKey} '${gateway}/bookshop/books?bulk=1'; done

  4. What is live, as the file that would make it so.
     ${variables} npx headgate export${whose}

Ctrl-C ends everything; what was published is there at the next start.
`
}

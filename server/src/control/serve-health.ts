/** `/healthz` and `/readyz` of a control process, for whoever restarts it or sends it requests: without a token. */
import { sql } from 'kysely'
import type { Hono } from 'hono'
import type { Control } from './control.ts'

/** The store is asked once in this time, however often others ask. */
const FRESH_MS = 1_000
const STORE_LIMIT_MS = 3_000
const NO_STORE = 'The store does not answer.'

export function serveHealth(app: Hono, { database }: Pick<Control, 'database'>): void {
  let askedAtMs = Number.NEGATIVE_INFINITY
  let asked: Promise<string | undefined> = Promise.resolve(undefined)
  app.get('/healthz', () => toPage(undefined))
  app.get('/readyz', async () => {
    if (performance.now() - askedAtMs > FRESH_MS) {
      askedAtMs = performance.now()
      asked = askStore(database)
    }
    return toPage(await asked)
  })
}

async function askStore({ read }: Control['database']): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(NO_STORE), STORE_LIMIT_MS)
  })
  try {
    return await Promise.race([late, sql`select 1`.execute(read).then(() => undefined)])
  } catch {
    return NO_STORE
  } finally {
    clearTimeout(timer)
  }
}

/** As the gateway's: 200, or 503 with the reason. */
function toPage(reason: string | undefined): Response {
  const body = reason === undefined ? { status: 'ok' } : { status: 'unavailable', reason }
  return Response.json(body, { status: reason === undefined ? 200 : 503, headers: { 'cache-control': 'no-store' } })
}

/** Serves the admin API's own description: the OpenAPI document, and a page for people made from it. */
import type { Hono } from 'hono'
import type { JsonObject } from '../../kernel/json.ts'
import { toReferencePage } from './reference-page.ts'
import { REFERENCE_STYLE } from './reference-style.ts'

/** The page has no script, no picture and no form; its style comes from here. */
const POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const FIELDS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
}

/** What stands there says nothing of an installation but its version, so nobody has to sign in for it. */
export function serveReference(app: Hono, prefix: string, document: JsonObject, version: string): void {
  const text = JSON.stringify(document)
  const page = toReferencePage(document, version)
  const files = {
    'openapi.json': ['application/json', text],
    reference: ['text/html; charset=utf-8', page],
    'reference.css': ['text/css; charset=utf-8', REFERENCE_STYLE],
  } as const
  for (const [name, [type, body]] of Object.entries(files)) {
    app.get(`${prefix}/${name}`, (context) => context.body(body, 200, { ...FIELDS, 'content-type': type }))
  }
}

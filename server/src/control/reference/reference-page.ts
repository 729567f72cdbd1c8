/** The reference of the admin API as one page: no script, nothing from elsewhere, readable without a style as well. */
import type { JsonObject } from '../../kernel/json.ts'
import { groupOperations, type ReferenceGroup, type ReferenceOperation } from './list-operations.ts'
import type { SchemaField } from './schema-fields.ts'

export function toReferencePage(document: JsonObject, version: string): string {
  const groups = groupOperations(document)
  const links = groups.map(({ tag }) => `<li><a href="#${toAnchor(tag)}">${escapeHtml(tag)}</a></li>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Headgate admin API</title>
<link rel="stylesheet" href="reference.css">
</head>
<body>
<a class="skip" href="#operations">To the operations</a>
<header><h1>Headgate admin API</h1><p>Version ${escapeHtml(version)} · <a href="openapi.json">OpenAPI 3.1</a></p></header>
<div class="columns">
<nav aria-label="Groups"><ul>${links.join('')}</ul></nav>
<main id="operations">
${INTRODUCTION}
${groups.map(toSection).join('\n')}
</main>
</div>
</body>
</html>
`
}

const INTRODUCTION = `<section aria-label="How to call">
<p>All paths stand below <code>/api/v1</code>. Send <code>Authorization: Bearer TOKEN</code>. What is refused is answered as a
problem (RFC 9457) with a stable <code>code</code> and its <code>remedy</code>, and nothing is half done. Lists take
<code>limit</code>, and <code>cursor</code> with the <code>next</code> of the page before.</p>
<p>A change of an existing thing names its version in <code>If-Match</code>; without it the answer is 428, after somebody
else's change it is 412. A creation with an <code>Idempotency-Key</code> can be sent again. Every write takes
<code>?dryRun=true</code>, which does everything and then undoes it.</p>
</section>`

function toSection({ tag, operations }: ReferenceGroup): string {
  const anchor = toAnchor(tag)
  return `<section aria-labelledby="${anchor}"><h2 id="${anchor}">${escapeHtml(tag)}</h2>
${operations.map(toDetails).join('\n')}</section>`
}

function toDetails(operation: ReferenceOperation): string {
  const { id, method, path, summary, permission, parameters, bodyFields, answerStatus, answerFields } = operation
  const parts = [
    toFields('Parameters', parameters),
    toFields('Body', bodyFields),
    // Whether an answer has a field is no duty of who reads it.
    toFields(
      `Answer ${answerStatus}`,
      answerFields.map((field) => ({ ...field, isRequired: false })),
    ),
  ]
  return `<details id="${escapeHtml(id)}"><summary><span class="call"><span class="method ${method.toLowerCase()}">${method}</span>
<code>${breakable(path)}</code></span> <span class="says">${toProse(summary)}</span></summary>
<p>Needs <code>${escapeHtml(permission)}</code>. Operation <code>${escapeHtml(id)}</code>.</p>
${parts.join('')}</details>`
}

function toFields(title: string, fields: readonly SchemaField[]): string {
  if (fields.length === 0) return ''
  const rows = fields.map(({ path, type, isRequired, description }) => {
    const must = isRequired ? ' <span class="must">required</span>' : ''
    return `<dt><code>${breakable(path)}</code> <span class="type">${escapeHtml(type)}</span>${must}</dt><dd>${toProse(description)}</dd>`
  })
  return `<h3>${escapeHtml(title)}</h3><dl>${rows.join('')}</dl>`
}

/** A description as its author wrote it: what stands between backticks is code. */
function toProse(text: string): string {
  return escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>')
}

/** Long paths break after their slashes and dots, and not in the middle of a word. */
function breakable(text: string): string {
  return escapeHtml(text).replaceAll(/([/.])/g, '$1<wbr>')
}

function toAnchor(tag: string): string {
  return `group-${tag.replaceAll(/[^A-Za-z0-9]+/g, '-')}`
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

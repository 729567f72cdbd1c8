// docs/reference/admin-api.md: every operation of the admin API with what it needs, from the list of operations.
import { groupOperations, type ReferenceGroup } from '../../server/src/control/reference/list-operations.ts'
import { toOpenApi } from '../../server/src/control/openapi.ts'
import { routes } from '../../server/src/control/routes.ts'
import { toMarkdownTable } from './describe-schema.ts'

const introduction = `# Admin API

All paths stand below \`/api/v1\` of the control plane, which serves the same with every parameter and field as a page at
\`/api/v1/reference\` and as OpenAPI 3.1 at \`/api/v1/openapi.json\`.

- Send \`Authorization: Bearer TOKEN\`. What is refused is answered as a [problem](problems/README.md), and nothing is half done.
- Lists take \`limit\`, \`cursor\` (the \`next\` of the page before), \`sort\`, \`search\` and filters such as \`?label=team:payments\`.
- A change of an existing thing names its version, the \`ETag\`, in \`If-Match\`: without it the answer is 428, after somebody else's
  change it is 412. \`PATCH\` takes a JSON Merge Patch (RFC 7396).
- A creation with an \`Idempotency-Key\` can be sent again. Every write takes \`?dryRun=true\`, which does everything and then undoes it.
`

function toSection({ tag, operations }: ReferenceGroup): string {
  const rows = operations.map(({ method, path, summary, permission }) => [
    `\`${method} ${path}\``,
    summary,
    `\`${permission}\``,
  ])
  return `## ${tag}\n\n${toMarkdownTable(['operation', 'what it does', 'needs'], rows)}\n`
}

export function generateAdminReference(): Map<string, string> {
  const groups = groupOperations(toOpenApi(routes, '0.0.0'))
  return new Map([['docs/reference/admin-api.md', [introduction, ...groups.map(toSection)].join('\n')]])
}

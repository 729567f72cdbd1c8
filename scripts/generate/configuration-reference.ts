// docs/reference/configuration.md: every key of the document, section by section, from its schema.
import { describeKeys, toMarkdownTable, type Schema } from './describe-schema.ts'
import { toDocumentSchema } from './json-schema.ts'

function toSection(name: string, schema: Schema): string {
  // A section is a list of things or one object; the keys of the thing are what a reader looks for.
  const rows = describeKeys(schema.items ?? schema).map(({ key, type, fallback, meaning }) => [
    `\`${key}\``,
    type,
    fallback,
    meaning,
  ])
  const table = rows.length > 0 ? `\n${toMarkdownTable(['key', 'type', 'default', 'what it is'], rows)}\n` : ''
  return `## ${name}

${schema.description ?? ''}${schema.items ? ` A list${table ? '; one entry has these keys.' : ' of policies.'}` : ''}
${table}`
}

export function generateConfigurationReference(): Map<string, string> {
  const sections = Object.entries(toDocumentSchema().properties ?? {}).map(([name, schema]) => toSection(name, schema))
  const text = `# Configuration

Every key of a \`headgate.yaml\`. [The guide](../guides/configuration.md) says how files are merged, what references to secrets look like and
how a change goes live. An unknown key is refused, and the nearest name is suggested.
Entries of policy lists are described in [the reference of policies](policies/README.md).

${sections.join('\n')}`
  return new Map([['docs/reference/configuration.md', text]])
}

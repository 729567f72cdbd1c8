// docs/reference/policies: a page per policy, made of its own page, its schema, its examples and its problems.
import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { stringify } from 'yaml'
import { z } from 'zod'
import type { PolicyDefinition } from '../../server/src/kernel/policy.ts'
import { policies } from '../../server/src/policies/index.ts'
import { describeKeys, toMarkdownTable, type Schema } from './describe-schema.ts'

const folder = 'docs/reference/policies'
const repository = join(import.meta.dirname, '../..')

export function toConfigSchema(policy: PolicyDefinition): Schema {
  // zod's own type of JSON Schema is wider than what its schemas of configurations give.
  return z.toJSONSchema(policy.config, { io: 'input', reused: 'inline' }) as Schema
}

/** The page that stands beside the policy, without its title, its links as seen from the reference. */
export function readOwnPage(kind: string): string {
  const path = `server/src/policies/${kind}/${kind}.md`
  const text = readFileSync(join(repository, path), 'utf8').replace(/^# .*\n+/, '')
  return text.trim().replaceAll(/\]\((?!https?:|#)([^)\s]+)\)/g, (_, target: string) => {
    return `](${posix.relative(folder, posix.join(posix.dirname(path), target))})`
  })
}

function toExamples(policy: PolicyDefinition): string {
  return policy.examples
    .map(({ title, config }) => `${title}:\n\n\`\`\`yaml\n${stringify([{ kind: policy.kind, config }]).trim()}\n\`\`\``)
    .join('\n\n')
}

function toProblems(policy: PolicyDefinition): string {
  if (policy.problems.length === 0) return 'This policy refuses nothing.'
  const rows = policy.problems.map(({ definition: { code, status, title } }) => [
    `[\`${code}\`](../problems/${code}.md)`,
    `${status}`,
    title,
  ])
  return toMarkdownTable(['code', 'status', 'title'], rows)
}

function toPage(policy: PolicyDefinition): string {
  const rows = describeKeys(toConfigSchema(policy)).map(({ key, type, fallback, meaning }) => [
    `\`${key}\``,
    type,
    fallback,
    meaning,
  ])
  const table = rows.length > 0 ? toMarkdownTable(['key', 'type', 'default', 'what it is'], rows) : 'It has no keys.'
  return `# ${policy.title}

\`kind: ${policy.kind}\` · ${policy.stability}

${policy.summary}

${readOwnPage(policy.kind)}

## Configuration

${table}

## Examples

${toExamples(policy)}

## Problems

${toProblems(policy)}
`
}

/** Where they depend on the configuration, the examples show which there can be. */
function describeCapabilities(policy: PolicyDefinition, side: 'needs' | 'gives'): string {
  if (policy.capabilities === undefined) return policy[side]?.join(', ') || '–'
  const all = policy.examples.flatMap(({ config }) => policy.capabilities?.(policy.config.parse(config))[side] ?? [])
  return all.length === 0 ? '–' : `${[...new Set(all)].join(', ')}, by configuration`
}

function toIndex(): string {
  const rows = policies.map((policy) => {
    const { kind, summary, stability } = policy
    const [needs, gives] = [describeCapabilities(policy, 'needs'), describeCapabilities(policy, 'gives')]
    return [`[\`${kind}\`](${kind}.md)`, summary, needs, gives, stability]
  })
  return `# Policies

What each policy does, what it needs to have been established before it in the list, and what it gives to those after it.
[How lists of policies work](../../guides/policies.md) is a guide of its own.

${toMarkdownTable(['kind', 'does', 'needs', 'gives', 'stability'], rows)}
`
}

export function generatePolicyReference(): Map<string, string> {
  return new Map([
    [`${folder}/README.md`, toIndex()],
    ...policies.map((policy) => [`${folder}/${policy.kind}.md`, toPage(policy)] as const),
  ])
}

// docs/reference/problems: a page per problem code and the table of all.
import { toProxyStatus, type Blame, type ProblemDefinition } from '../../server/src/kernel/problem.ts'
import { collectProblems, type CollectedProblem } from './collect-problems.ts'
import { toMarkdownTable } from './describe-schema.ts'

const folder = 'docs/reference/problems'

const blameSentences: Record<Blame, string> = {
  caller: 'The request is at fault; sending it again unchanged gives the same answer, unless time is part of the rule.',
  operator: 'The configuration is at fault, and whoever operates Headgate has to change it.',
  upstream: 'The upstream is at fault: it did not answer, or not in a way that can be passed on.',
  gateway: 'Headgate itself is at fault or has reached a limit of its own.',
}

function toExample(definition: ProblemDefinition): string {
  const { code, status, title } = definition
  const body = { type: `urn:headgate:problem:${code}`, title, status, code, instance: 'urn:headgate:request:…' }
  return JSON.stringify(body, undefined, 2)
}

function toPage({ definition, kinds, isOfControl }: CollectedProblem): string {
  const policies = kinds.map((kind) => `[\`${kind}\`](../policies/${kind}.md)`).join(', ')
  return `# ${definition.code}

**${definition.status} ${definition.title}**

${definition.remedy}

- Blame: ${definition.blame}. ${blameSentences[definition.blame]}
- Answered by: ${policies ? `the policy ${policies}` : isOfControl ? 'the control plane' : 'the gateway'}
${isOfControl ? '' : `- \`Proxy-Status: ${toProxyStatus(definition)}\`\n`}
\`\`\`json
${toExample(definition)}
\`\`\`

Where more can be said, \`detail\` says it about the occurrence and \`errors\` points at the places in the input.
`
}

function toIndex(problems: readonly CollectedProblem[]): string {
  const rows = problems.map(({ definition: { code, status, title, blame } }) => [
    `[\`${code}\`](${code}.md)`,
    `${status}`,
    title,
    blame,
  ])
  return `# Problems

Every answer that Headgate itself gives instead of an upstream is a problem (RFC 9457) with a code that stays for ever.
An error of an upstream passes untouched and has no \`Proxy-Status\` of Headgate.

${toMarkdownTable(['code', 'status', 'title', 'blame'], rows)}
`
}

export async function generateProblemReference(): Promise<Map<string, string>> {
  const problems = await collectProblems()
  const pages = problems.map((problem) => [`${folder}/${problem.definition.code}.md`, toPage(problem)] as const)
  return new Map([[`${folder}/README.md`, toIndex(problems)], ...pages])
}

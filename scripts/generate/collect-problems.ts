// Every problem that Headgate can answer with, found where it is declared: there is no central list of names to keep.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ProblemDefinition, ProblemFactory } from '../../server/src/kernel/problem.ts'
import { policies } from '../../server/src/policies/index.ts'

const sourceRoot = join(import.meta.dirname, '../../server/src')

export interface CollectedProblem {
  readonly definition: ProblemDefinition
  /** Kinds of the policies that answer with it; empty for a problem of the gateway itself. */
  readonly kinds: readonly string[]
  /** The control plane answers with it, and no gateway. */
  readonly isOfControl: boolean
}

function isProblemFactory(value: unknown): value is ProblemFactory {
  return typeof value === 'function' && 'definition' in value && typeof value.definition === 'object'
}

function declaringFiles(): { path: string; text: string }[] {
  const paths = globSync('**/*.ts', { cwd: sourceRoot }).filter((path) => !path.endsWith('.test.ts'))
  return paths
    .map((path) => ({ path, text: readFileSync(join(sourceRoot, path), 'utf8') }))
    .filter(({ text }) => text.includes('defineProblem({'))
}

/** The codes that the sources declare, read from their text: what the collected ones must agree with. */
export function findDeclaredCodes(): string[] {
  const codes = declaringFiles().flatMap(({ text }) =>
    [...text.matchAll(/defineProblem\(\{\s*code: '([^']+)'/g)].map((match) => match[1] ?? ''),
  )
  return codes.toSorted()
}

/** Problems that policies list and that modules export, sorted by code, each once. */
export async function collectProblems(): Promise<CollectedProblem[]> {
  const found = new Map<string, { definition: ProblemDefinition; kinds: string[]; isOfControl: boolean }>()
  const add = (definition: ProblemDefinition, kind?: string, isOfControl = false): void => {
    const entry = found.get(definition.code) ?? { definition, kinds: [], isOfControl }
    if (kind) entry.kinds.push(kind)
    found.set(definition.code, entry)
  }
  for (const policy of policies) for (const problem of policy.problems) add(problem.definition, policy.kind)
  for (const { path } of declaringFiles()) {
    const exported: Record<string, unknown> = await import(pathToFileURL(join(sourceRoot, path)).href)
    for (const value of Object.values(exported))
      if (isProblemFactory(value)) add(value.definition, undefined, path.startsWith('control'))
  }
  return [...found.values()].toSorted((a, b) => (a.definition.code < b.definition.code ? -1 : 1))
}

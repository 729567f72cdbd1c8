// Writes everything that is derived from the registries: the reference of policies and problems, the JSON Schema of the
// configuration. `--check` writes nothing and fails when a committed file differs, is missing or is left over.
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generateAdminReference } from './generate/admin-reference.ts'
import { generateConfigurationReference } from './generate/configuration-reference.ts'
import { generateSchemaFile } from './generate/json-schema.ts'
import { generateOpenapiReference } from './generate/openapi-reference.ts'
import { generatePolicyReference } from './generate/policy-reference.ts'
import { generateProblemReference } from './generate/problem-reference.ts'
import { generateSettingsReference } from './generate/settings-reference.ts'

const repository = join(import.meta.dirname, '..')

/** Folders in which every file is generated, so that one that no generator makes any more is found. */
const ownedFolders = ['docs/reference/openapi', 'docs/reference/policies', 'docs/reference/problems', 'schema']

/** Text of every generated file by its path in the repository. */
export async function generateAll(): Promise<Map<string, string>> {
  return new Map([
    ...generateSchemaFile(),
    ...generateConfigurationReference(),
    ...generateSettingsReference(),
    ...generateAdminReference(),
    ...generatePolicyReference(),
    ...generateOpenapiReference(),
    ...(await generateProblemReference()),
  ])
}

function readCommitted(path: string): string | undefined {
  try {
    return readFileSync(join(repository, path), 'utf8')
  } catch {
    // Not there yet, which differs from every text.
    return undefined
  }
}

/** Paths whose committed text is not the generated one, with what is wrong with each. */
export function findDifferences(
  generated: ReadonlyMap<string, string>,
): { path: string; problem: 'missing' | 'differs' | 'left over' }[] {
  const owned = ownedFolders.flatMap((folder) => globSync(`${folder}/**/*.{md,json}`, { cwd: repository }))
  const leftOver = owned.filter((path) => !generated.has(path)).map((path) => ({ path, problem: 'left over' as const }))
  const changed = [...generated].flatMap(([path, text]) => {
    const committed = readCommitted(path)
    if (committed === text) return []
    return [{ path, problem: committed === undefined ? ('missing' as const) : ('differs' as const) }]
  })
  return [...changed, ...leftOver].toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

function writeDifference(path: string, text: string | undefined): void {
  const target = join(repository, path)
  if (text === undefined) return rmSync(target)
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, text)
}

if (import.meta.main) {
  const generated = await generateAll()
  const differences = findDifferences(generated)
  const checkOnly = process.argv.includes('--check')
  for (const { path, problem } of differences) {
    console.log(`${path}: ${problem}`)
    if (!checkOnly) writeDifference(path, generated.get(path))
  }
  if (checkOnly && differences.length > 0) {
    console.error('Generated files are out of date: run `npm run generate` and commit what it writes.')
    process.exitCode = 1
  }
}

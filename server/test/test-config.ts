/** Compiles configurations that a test writes as text, in a folder of its own, and gives what is found as lines. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { compileConfig, type CompiledConfig } from '../src/config/compile.ts'
import { ConfigError, toIssueLine } from '../src/config/issues.ts'
import type { PolicyDefinition } from '../src/kernel/policy.ts'
import { policies as allPolicies } from '../src/policies/index.ts'

export interface TestConfigOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly policies?: readonly PolicyDefinition[]
  /** What is compiled, inside the folder; by default the first file. */
  readonly entry?: string
}

/** Files by their path in the folder. */
export type TestFiles = Readonly<Record<string, string>>

/** Writes the files into a new folder, gives it to `use` and removes it. */
export function inFolder<Result>(files: TestFiles, use: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-config-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    return use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The compiled configuration; what is wrong is thrown. */
export function compileFiles(files: TestFiles, options: TestConfigOptions = {}): CompiledConfig {
  const entry = options.entry ?? Object.keys(files)[0] ?? ''
  return inFolder(files, (folder) =>
    compileConfig(join(folder, entry), options.environment ?? {}, options.policies ?? allPolicies),
  )
}

/** What is wrong with the files, one line each, paths as seen from the folder; empty when they are right. */
export function findIssues(files: TestFiles, options: TestConfigOptions = {}): string[] {
  const entry = options.entry ?? Object.keys(files)[0] ?? ''
  return inFolder(files, (folder) => {
    try {
      compileConfig(join(folder, entry), options.environment ?? {}, options.policies ?? allPolicies)
      return []
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      return error.issues.map((issue) => toIssueLine(issue).replaceAll(`${folder}/`, ''))
    }
  })
}

/** A document with one API `a` of one route on one upstream `u`, followed by more of the document. */
export function documentWith(more: string): string {
  return `headgate: 1
upstreams:
  - { name: u, targets: [{ url: "http://127.0.0.1:9001" }] }
apis:
  - { name: a, upstream: u, routes: [{ name: all, match: { path: "/*" } }] }
${more}`
}

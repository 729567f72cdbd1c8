/** Compiles configurations that a test writes as text, in a folder of its own, and gives what is found as lines. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { compileConfig, type CompiledConfig } from '../src/config/compile.ts'
import { ConfigError, toIssueLine } from '../src/config/issues.ts'
import type { Audience } from '../src/config/substitute.ts'
import type { PolicyDefinition } from '../src/kernel/policy.ts'
import { policies as allPolicies } from '../src/policies/index.ts'

export interface TestConfigOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly policies?: readonly PolicyDefinition[]
  /** What is compiled, inside the folder; by default the first file. */
  readonly entry?: string
  /** By default a gateway that runs it. */
  readonly audience?: Audience
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

function compile(path: string, { environment = {}, policies = allPolicies, audience }: TestConfigOptions) {
  return compileConfig(path, environment, policies, undefined, audience)
}

/** The compiled configuration; what is wrong is thrown. */
export function compileFiles(files: TestFiles, options: TestConfigOptions = {}): CompiledConfig {
  const entry = options.entry ?? Object.keys(files)[0] ?? ''
  return inFolder(files, (folder) => compile(join(folder, entry), options))
}

/** What is wrong with the files, one line each, paths as seen from the folder; empty when they are right. */
export function findIssues(files: TestFiles, options: TestConfigOptions = {}): string[] {
  const entry = options.entry ?? Object.keys(files)[0] ?? ''
  return inFolder(files, (folder) => {
    try {
      compile(join(folder, entry), options)
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

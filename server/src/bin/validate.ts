/** `headgate validate`: says what is wrong with a configuration, or what it holds. */
import { Command, Option } from 'commander'
import { compileConfig } from '../config/compile.ts'
import { ConfigError, toIssueLine, type ConfigIssue } from '../config/issues.ts'
import type { Snapshot } from '../kernel/snapshot.ts'
import { policies } from '../policies/index.ts'
import type { Audience } from '../config/substitute.ts'
import type { CommandSurroundings } from './command-surroundings.ts'

export interface ValidateOptions {
  readonly json?: boolean
  readonly for?: Audience
}

const example = `
Example:
  $ ACME_KEY=some-key headgate validate examples/bookshop/headgate.yaml
  $ headgate validate --json /etc/headgate
  $ headgate validate --for control headgate.yaml

Exit codes: 0 valid, 1 not valid, 2 wrong use.`

export function createValidateCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  return new Command('validate')
    .summary('check a configuration without running it')
    .description(
      'Checks a configuration file, or a directory of them, as its reader would, and reports everything wrong.',
    )
    .argument('<path>', 'YAML or JSON file, or a directory of them')
    .option('--json', 'write the result as JSON to standard output')
    .addOption(
      new Option(
        '--for <reader>',
        'who is to read it: a gateway that runs it, or a control plane that it is applied to',
      )
        .choices(['gateway', 'control'])
        .default('gateway'),
    )
    .addHelpText('after', example)
    .action((path: string, options: ValidateOptions) => exit(runValidate(path, options, surroundings)))
}

/** Checks what stands at `path` and writes the result; returns the exit code. */
export function runValidate(path: string, options: ValidateOptions, surroundings: CommandSurroundings): number {
  try {
    const { snapshot } = compileConfig(path, surroundings.environment, policies, undefined, options.for)
    const counts = countParts(snapshot)
    const result = { valid: true, version: snapshot.version, ...counts }
    surroundings.write(options.json === true ? toJson(result) : toSentence(path, snapshot.version, counts))
    return 0
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    if (options.json === true) surroundings.write(toJson({ valid: false, issues: error.issues }))
    else surroundings.writeError(toReport(error.issues))
    return 1
  }
}

type Counts = ReturnType<typeof countParts>

function countParts({ upstreams, apis, routes, consumers, products, policies: globalPolicies }: Snapshot) {
  const plans = products.flatMap((product) => product.plans)
  const lists = [{ policies: globalPolicies }, ...apis, ...routes, ...plans, ...consumers]
  return {
    upstreams: upstreams.length,
    apis: apis.length,
    routes: routes.length,
    policies: lists.reduce((sum, list) => sum + list.policies.length, 0),
    consumers: consumers.length,
  }
}

function toSentence(path: string, version: string, counts: Counts): string {
  const parts = [
    toCount(counts.upstreams, 'upstream'),
    toCount(counts.apis, 'API'),
    toCount(counts.routes, 'route'),
    toCount(counts.policies, 'policy', 'policies'),
    toCount(counts.consumers, 'consumer'),
  ]
  return `${path} is valid: ${parts.join(', ')}. Version ${version.slice(0, 12)}.\n`
}

function toCount(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

function toReport(issues: readonly ConfigIssue[]): string {
  const summary = issues.length === 1 ? 'One thing is wrong.' : `${issues.length} things are wrong.`
  return [...issues.map(toIssueLine), summary, ''].join('\n')
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

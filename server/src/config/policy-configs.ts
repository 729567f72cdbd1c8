/** Checks the configuration of every policy entry of a document by the schema of its kind. */
import type { PolicyDefinition } from '../kernel/policy.ts'
import { childOf, type Findings } from './findings.ts'
import { toKeyText, type KeyPath } from './issues.ts'
import { suggest } from './nearest.ts'
import { parseValue } from './parse-value.ts'
import type { Steps } from './steps.ts'

/** The policies that can be configured, by kind. */
export type PolicyRegistry = ReadonlyMap<string, PolicyDefinition>

interface CheckedConfig {
  readonly definition: PolicyDefinition
  readonly config: unknown
}

/** Checked configurations by the key text of their entry, such as `apis[0].policies[1]`. */
export type PolicyConfigs = ReadonlyMap<string, CheckedConfig>

export function toRegistry(policies: readonly PolicyDefinition[]): PolicyRegistry {
  return new Map(policies.map((policy) => [policy.kind, policy]))
}

/** Looks at the values as they were read, so that it finds everything even when the rest of the document is wrong. */
export function* checkPolicyConfigs(root: unknown, registry: PolicyRegistry, findings: Findings): Steps<PolicyConfigs> {
  const configs = new Map<string, CheckedConfig>()
  for (const path of policyListPaths(root)) {
    for (const [index, entry] of elements(root, path)) {
      const entryPath = [...path, index]
      const checked = checkConfig(entry, entryPath, registry, findings)
      if (checked !== undefined) configs.set(toKeyText(entryPath), checked)
    }
    yield
  }
  return configs
}

function checkConfig(
  entry: unknown,
  path: KeyPath,
  registry: PolicyRegistry,
  findings: Findings,
): CheckedConfig | undefined {
  const kind = childOf(entry, 'kind')
  // Anything but text is reported by the schema of the document.
  if (typeof kind !== 'string') return undefined
  const definition = registry.get(kind)
  if (definition === undefined) {
    const hint = suggest(kind, [...registry.keys()])
    findings.report([...path, 'kind'], `there is no policy of kind ${findings.shown([...path, 'kind'])}`, { hint })
    return undefined
  }
  const config = parseValue(definition.config, childOf(entry, 'config') ?? {}, [...path, 'config'], findings)
  return config === undefined ? undefined : { definition, config }
}

/** Where the document has lists of policies. */
function* policyListPaths(root: unknown): Generator<KeyPath> {
  yield ['policies']
  for (const [index] of elements(root, ['policyLists'])) yield ['policyLists', index, 'policies']
  for (const [index] of elements(root, ['apis'])) {
    yield ['apis', index, 'policies']
    for (const [route] of elements(root, ['apis', index, 'routes'])) yield ['apis', index, 'routes', route, 'policies']
  }
  for (const [index] of elements(root, ['products'])) {
    for (const [plan] of elements(root, ['products', index, 'plans'])) {
      yield ['products', index, 'plans', plan, 'policies']
    }
  }
  for (const [index] of elements(root, ['consumers'])) yield ['consumers', index, 'policies']
}

function elements(root: unknown, path: KeyPath): [number, unknown][] {
  let list = root
  for (const key of path) list = childOf(list, key)
  return Array.isArray(list) ? [...list.entries()] : []
}

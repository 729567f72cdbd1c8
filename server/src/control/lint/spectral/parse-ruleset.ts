/**
 * Rulesets in the format of Spectral, to rules of ours. `extends: spectral:oas` stands for our own rules. What a ruleset asks
 * for and nobody here knows is refused, not skipped: a rule that silently never fires is worse than none.
 */
import { childOf } from '../../../config/findings.ts'
import { isTree, listOf, textsOf, toTree, type Tree } from '../../../config/openapi/json-tree.ts'
import { toPointer } from '../../../config/openapi/spec-files.ts'
import { parseSource } from '../../../config/source.ts'
import type { Override, Ruleset } from '../lint-document.ts'
import { VisitsExhausted, type LintRule, type Severity } from '../lint-rule.ts'
import { lintRules } from '../rules.ts'
import { compileFunction, type Check } from './functions.ts'
import { compileJsonPath, type JsonPath, type Match } from './json-path.ts'
import { RulesetFault } from './ruleset-fault.ts'

export interface RulesetIssue {
  readonly pointer: string
  readonly message: string
  readonly remedy: string
}

export type ParsedRuleset =
  | { readonly kind: 'ruleset'; readonly ruleset: Ruleset }
  | { readonly kind: 'refused'; readonly issues: readonly RulesetIssue[] }

const MOST_CHARS = 1024 * 1024
const MOST_RULES = 500
/** Values that the paths of one rule look at. */
const MOST_VISITS = 5_000_000

const KEYS = ['extends', 'rules', 'overrides', 'aliases', 'formats', 'documentationUrl', 'description']
const RULE_KEYS =
  `description message given then severity formats documentationUrl recommended resolved tags enabled`.split(' ')
const OURS = ['spectral:oas', 'headgate:default']

export function parseRuleset(text: string): ParsedRuleset {
  const issues: RulesetIssue[] = []
  if (text.length > MOST_CHARS) {
    return {
      kind: 'refused',
      issues: [{ pointer: '#', message: `takes more than ${MOST_CHARS} characters`, remedy: 'Divide it.' }],
    }
  }
  const source = parseSource('ruleset', text, ({ path, message, hint }) => {
    issues.push({ pointer: toPointer(path), message, remedy: hint ?? 'Mend what stands there.' })
  })
  if (source === undefined || issues.length > 0) return { kind: 'refused', issues }
  const reader = new RulesetReader(toTree(source.value), issues)
  const ruleset = reader.read()
  return issues.length === 0 ? { kind: 'ruleset', ruleset } : { kind: 'refused', issues }
}

/** What is wrong with it. */
export function findIssues(text: string): readonly RulesetIssue[] {
  const parsed = parseRuleset(text)
  return parsed.kind === 'refused' ? parsed.issues : []
}

class RulesetReader {
  private readonly root: Tree
  private readonly issues: RulesetIssue[]
  private readonly rules = new Map<string, LintRule>()

  constructor(root: Tree, issues: RulesetIssue[]) {
    this.root = root
    this.issues = issues
  }

  read(): Ruleset {
    for (const key of Object.keys(this.root)) {
      if (!KEYS.includes(key)) this.tell([key], `the key ${key} is not known`, `Known: ${KEYS.join(', ')}.`)
    }
    this.readExtends()
    const rules = Object.entries(toTree(this.root['rules']))
    if (rules.length > MOST_RULES)
      this.tell(['rules'], `there are more than ${MOST_RULES} rules`, 'Divide the ruleset.')
    for (const [id, value] of rules.slice(0, MOST_RULES)) this.attempt(['rules', id], () => this.readRule(id, value))
    return { rules: [...this.rules.values()], overrides: this.readOverrides() }
  }

  private readExtends(): void {
    const given = this.root['extends']
    const list = given === undefined ? [] : Array.isArray(given) ? given : [given]
    for (const [index, each] of list.entries()) {
      const [name, part = 'recommended'] = Array.isArray(each) ? each : [each]
      if (!OURS.includes(String(name))) {
        this.tell(
          ['extends', index],
          `${JSON.stringify(name)} cannot be extended`,
          `Known: ${OURS.join(', ')}; put other rules into this file.`,
        )
      } else if (part !== 'off') for (const rule of lintRules) this.rules.set(rule.id, rule)
    }
  }

  private readRule(id: string, value: unknown): void {
    if (!isTree(value)) return this.changeSeverity(id, value)
    const unknown = Object.keys(value).find((key) => !RULE_KEYS.includes(key))
    if (unknown !== undefined) throw new RulesetFault(`a rule has no key ${unknown}`, `Known: ${RULE_KEYS.join(', ')}.`)
    const severity = toSeverity(value['severity'] ?? 'warn')
    if (severity === 'off' || value['enabled'] === false) this.rules.delete(id)
    else this.rules.set(id, this.toRule(id, value, severity))
  }

  /** `rule: off`, `rule: error`, `rule: true`: of a rule that is there, or that our own list has. */
  private changeSeverity(id: string, value: unknown): void {
    const known = this.rules.get(id) ?? lintRules.find((rule) => rule.id === id)
    if (known === undefined) throw new RulesetFault(`there is no rule ${id}`, 'Define it, or extend spectral:oas.')
    const severity = value === true ? known.severity : value === false ? 'off' : toSeverity(value)
    if (severity === 'off') this.rules.delete(id)
    else this.rules.set(id, { ...known, severity })
  }

  private toRule(id: string, value: Tree, severity: Severity): LintRule {
    const given = value['given']
    const paths = (Array.isArray(given) ? given : [given]).flatMap((each) => this.toPaths(each, 0))
    const then = value['then']
    const targets = (Array.isArray(then) ? then : [then]).map(toTarget)
    const description = typeof value['description'] === 'string' ? value['description'] : id
    const message = typeof value['message'] === 'string' ? value['message'] : '{{error}}'
    const isFor = toFormats(value['formats'] ?? this.root['formats'])
    return {
      id,
      severity,
      title: description,
      remedy: typeof value['documentationUrl'] === 'string' ? `See ${value['documentationUrl']}` : description,
      whole(view, tell) {
        if (!isFor(view.document)) return
        let visits = 0
        const visited = (): void => {
          if (++visits > MOST_VISITS) throw new VisitsExhausted()
        }
        const matches = paths.flatMap((path) => path.find(view.document, visited))
        for (const match of matches) {
          for (const { check, field } of targets) {
            for (const { value: each, path } of toFields(match, field)) {
              for (const { message: error, below = [] } of check(each, view)) {
                const at = [...path, ...below]
                tell(
                  at,
                  fill(message, {
                    error,
                    description,
                    path: toPointer(at),
                    property: String(at.at(-1) ?? ''),
                    value: shown(each),
                  }),
                )
              }
            }
          }
        }
      },
    }
  }

  private toPaths(given: unknown, depth: number): JsonPath[] {
    if (typeof given !== 'string')
      throw new RulesetFault('`given` is a path or a list of them', 'Write a path such as $.paths[*].')
    const alias = /^#([A-Za-z][\w-]*)(.*)$/s.exec(given)
    if (alias === null) return [compileJsonPath(given)]
    const [, name = '', rest = ''] = alias
    const found: unknown = childOf(this.root['aliases'], name)
    const texts = textsOf(Array.isArray(found) ? found : [found])
    if (texts.length === 0 || depth > 5)
      throw new RulesetFault(`there is no alias ${name}`, 'Define it in `aliases` as a list of paths.')
    return texts.flatMap((text) => this.toPaths(text + rest, depth + 1))
  }

  private readOverrides(): Override[] {
    return listOf(this.root['overrides']).flatMap((override, index): Override[] => {
      const { files, rules } = toTree(override)
      const severities = new Map<string, Severity | 'off'>()
      for (const [id, value] of Object.entries(toTree(rules))) {
        const at = ['overrides', index, 'rules', id]
        if (!this.rules.has(id)) this.tell(at, `there is no rule ${id}`, 'Define it in `rules`.')
        this.attempt(at, () => severities.set(id, toSeverity(isTree(value) ? value['severity'] : value)))
      }
      return textsOf(files).map((file) => ({
        pointer: file.includes('#') ? file.slice(file.indexOf('#')).replace(/\/$/, '') : '#',
        severities,
      }))
    })
  }

  private attempt(path: readonly (string | number)[], run: () => void): void {
    try {
      run()
    } catch (error) {
      if (!(error instanceof RulesetFault)) throw error
      this.tell(path, error.message, error.remedy)
    }
  }

  private tell(path: readonly (string | number)[], message: string, remedy: string): void {
    this.issues.push({ pointer: toPointer(path), message, remedy })
  }
}

interface Target {
  readonly check: Check
  readonly field: string | undefined
}

function toTarget(then: unknown): Target {
  const { field, function: name, functionOptions, ...others } = toTree(then)
  const [unknown] = Object.keys(others)
  if (unknown !== undefined)
    throw new RulesetFault(`\`then\` has no key ${unknown}`, 'Known: field, function, functionOptions.')
  if (field !== undefined && typeof field !== 'string')
    throw new RulesetFault('`field` is text', 'Write the name of a key, or @key.')
  return { check: compileFunction(name, functionOptions), field }
}

/** `@key` looks at the names of a map, `a.b` at what stands below. */
function toFields({ value, path }: Match, field: string | undefined): Match[] {
  if (field === undefined) return [{ value, path }]
  if (field === '@key') return Object.keys(toTree(value)).map((key) => ({ value: key, path: [...path, key] }))
  if (typeof value !== 'object' || value === null) return []
  const keys = field.startsWith('$') ? [field] : field.split('.')
  return [{ value: keys.reduce<unknown>(childOf, value), path: [...path, ...keys] }]
}

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info', 'hint']

function toSeverity(value: unknown): Severity | 'off' {
  if (value === 'off' || value === -1) return 'off'
  if (value === 'warn' || value === true) return 'warning'
  const found = typeof value === 'number' ? SEVERITIES[value] : SEVERITIES.find((each) => each === value)
  if (found === undefined)
    throw new RulesetFault(`${JSON.stringify(value)} is no severity`, 'Known: error, warn, info, hint, off.')
  return found
}

function toFormats(formats: unknown): (document: Tree) => boolean {
  const list = textsOf(formats)
  if (list.length === 0) return () => true
  return ({ openapi, swagger }) => {
    const version = String(openapi ?? swagger)
    const own = [
      version.startsWith('2') ? 'oas2' : 'oas3',
      `oas${version.slice(0, 3)}`,
      `oas${version.slice(0, 3).replace('.', '_')}`,
    ]
    return list.some((each) => own.includes(each))
  }
}

function fill(message: string, values: Readonly<Record<string, string>>): string {
  return message.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? whole) : whole,
  )
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 100)
}

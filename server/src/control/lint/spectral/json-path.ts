/**
 * The part of JSONPath that rulesets use: names, `*`, `..`, indices, lists of names, filters, and `~` for keys. It walks
 * the document within a bound; nothing in it is run.
 */
import { compileFilter, type Candidate } from './filter.ts'
import { RulesetFault } from './ruleset-fault.ts'

export interface Match {
  readonly value: unknown
  readonly path: readonly (string | number)[]
}

type Selects = (candidate: Candidate) => boolean

interface Step {
  readonly selects: Selects
  /** The only name that it selects: found without looking at all. */
  readonly name: string | undefined
  /** Whether it looks at everything below and not only at what stands in it. */
  readonly isDeep: boolean
}

export interface JsonPath {
  /** The places that it leads to. Calls `visited` for each value that it looks at, which may throw to end it. */
  find(root: unknown, visited: () => void): Match[]
}

const DOT_NAME = /\.(?:([A-Za-z_$@][\w$-]*)|\*)/y
const MOST_STEPS = 50

export function compileJsonPath(text: string): JsonPath {
  const { steps, isKeys } = parseSteps(text)
  return {
    find(root, visited) {
      let matches: Match[] = [{ value: root, path: [] }]
      for (const step of steps)
        matches = unique(
          matches.flatMap((match) => [...select(step, match, visited)]),
          step,
        )
      if (!isKeys) return matches
      return matches.map(({ path }) => ({ value: path.at(-1), path }))
    },
  }
}

function parseSteps(text: string): { steps: Step[]; isKeys: boolean } {
  const trimmed = text.trim()
  const isKeys = trimmed.endsWith('~')
  const body = isKeys ? trimmed.slice(0, -1) : trimmed
  const fault = new RulesetFault(
    `the path ${text} is not known`,
    'Write $, names, *, .., [0], [a,b], [?(…)] and ~ at the end.',
  )
  if (!body.startsWith('$')) throw fault
  const steps: Step[] = []
  for (let at = 1; at < body.length;) {
    if (steps.length > MOST_STEPS) throw fault
    const isDeep = body.startsWith('..', at)
    // `..[` and `..name` differ in how many dots stand before the name.
    const from = isDeep ? (body[at + 2] === '[' ? at + 2 : at + 1) : at
    DOT_NAME.lastIndex = from
    const dotted = DOT_NAME.exec(body)
    if (dotted !== null) {
      steps.push(toStep(dotted[1], isDeep))
      at = from + dotted[0].length
    } else if (body[from] === '[') {
      const end = endOfBracket(body, from)
      if (end === -1) throw fault
      steps.push({ ...toBracketStep(body.slice(from + 1, end).trim(), fault), isDeep })
      at = end + 1
    } else throw fault
  }
  return { steps, isKeys }
}

function toStep(name: string | undefined, isDeep: boolean): Step {
  return { name, isDeep, selects: name === undefined ? () => true : ({ key }) => String(key) === name }
}

function toBracketStep(inner: string, fault: RulesetFault): Omit<Step, 'isDeep'> {
  if (inner === '*') return { name: undefined, selects: () => true }
  const filter = /^\?\s*\((.*)\)$/s.exec(inner)?.[1] ?? /^\?(.*)$/s.exec(inner)?.[1]
  if (filter !== undefined) return { name: undefined, selects: compileFilter(filter) }
  const names = inner.split(',').map((each) => each.trim())
  if (!names.every((each) => /^(?:'[^']*'|"[^"]*"|-?\d+|[A-Za-z_$][\w$-]*)$/.test(each))) throw fault
  const wanted = new Set(names.map((each) => each.replace(/^['"]|['"]$/g, '')))
  const [only] = wanted.size === 1 ? wanted : []
  return { name: only, selects: ({ key }) => wanted.has(String(key)) }
}

/** Where a bracket closes; texts and patterns inside filters may hold brackets of their own. */
function endOfBracket(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const character = text[at] ?? ''
    if (character === '\\') at++
    else if (character === "'" || character === '"') {
      at = text.indexOf(character, at + 1)
      if (at === -1) return -1
    } else if (character === '[') depth++
    else if (character === ']' && --depth === 0) return at
  }
  return -1
}

function* select(step: Step, { value, path }: Match, visited: () => void): Generator<Match> {
  if (typeof value !== 'object' || value === null) return
  if (step.name !== undefined && !step.isDeep) {
    visited()
    if (Object.hasOwn(value, step.name)) {
      const key = Array.isArray(value) ? Number(step.name) : step.name
      yield { value: Reflect.get(value, step.name), path: [...path, key] }
    }
    return
  }
  const isList = Array.isArray(value)
  for (const [name, inner] of Object.entries(value)) {
    visited()
    const key = isList ? Number(name) : name
    const below: Match = { value: inner, path: [...path, key] }
    if (step.selects({ value: inner, key })) yield below
    if (step.isDeep) yield* select(step, below, visited)
  }
}

/** `..` after `..` leads to the same place in several ways. */
function unique(matches: Match[], { isDeep }: Step): Match[] {
  if (!isDeep || matches.length < 2) return matches
  const seen = new Map<string, Match>()
  for (const match of matches) seen.set(JSON.stringify(match.path), match)
  return [...seen.values()]
}

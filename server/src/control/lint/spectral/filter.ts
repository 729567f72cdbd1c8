/**
 * Filters of JSONPath such as `[?(@.in == 'query' && @property.match(/^x-/))]`, as closures: what a ruleset says is never run
 * as a program. Patterns are matched in linear time.
 */
import { childOf } from '../../../config/findings.ts'
import { compilePattern } from '../../../kernel/linear-pattern.ts'
import { PatternError } from '../../../kernel/pattern-error.ts'
import { RulesetFault } from './ruleset-fault.ts'

/** What a filter may look at: a value and the key that it stands under. */
export interface Candidate {
  readonly value: unknown
  readonly key: string | number
}

type Evaluate = (candidate: Candidate) => unknown

const TOKEN =
  /\s*(?:(===|!==|==|!=|<=|>=|&&|\|\||[<>!().[\],])|('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(\/(?:[^/\\[]|\\.|\[(?:[^\]\\]|\\.)*\])+\/[a-z]*)|(-?\d+(?:\.\d+)?)|(@property|@path|@|[A-Za-z_$][\w$-]*))/y

/** Parts of one filter inside each other. */
const MOST_LEVELS = 20

export function compileFilter(text: string): (candidate: Candidate) => boolean {
  const parser = new FilterParser(tokenize(text), text)
  const evaluate = parser.parse()
  return (candidate) => Boolean(evaluate(candidate))
}

function tokenize(text: string): string[] {
  const tokens: string[] = []
  for (let at = 0; at < text.length;) {
    TOKEN.lastIndex = at
    const token = TOKEN.exec(text)?.[0]
    if (token === undefined) {
      if (text.slice(at).trim() === '') break
      throw unknown(text)
    }
    tokens.push(token.trim())
    at += token.length
  }
  return tokens
}

function unknown(text: string): RulesetFault {
  return new RulesetFault(
    `the filter ${text} is not known`,
    'Use @, @property, comparisons, &&, ||, ! and .match(/…/).',
  )
}

class FilterParser {
  private readonly tokens: readonly string[]
  private readonly text: string
  private at = 0
  private level = 0

  constructor(tokens: readonly string[], text: string) {
    this.tokens = tokens
    this.text = text
  }

  parse(): Evaluate {
    const evaluate = this.any()
    if (this.at < this.tokens.length) throw unknown(this.text)
    return evaluate
  }

  private any(): Evaluate {
    if (++this.level > MOST_LEVELS) throw unknown(this.text)
    let left = this.all()
    while (this.take('||')) left = either(left, this.all())
    this.level--
    return left
  }

  private all(): Evaluate {
    let left = this.comparison()
    while (this.take('&&')) left = both(left, this.comparison())
    return left
  }

  private comparison(): Evaluate {
    const left = this.operand()
    const operator = this.tokens[this.at]
    const compare = operator === undefined ? undefined : COMPARISONS.get(operator)
    if (compare === undefined) return left
    this.at++
    const right = this.operand()
    return (candidate) => compare(left(candidate), right(candidate))
  }

  private operand(): Evaluate {
    if (this.take('!')) {
      const inner = this.operand()
      return (candidate) => !inner(candidate)
    }
    if (this.take('(')) {
      const inner = this.any()
      this.expect(')')
      return this.members(inner)
    }
    const token = this.tokens[this.at++] ?? ''
    if (token === '@property') return this.members(({ key }) => key)
    if (token === '@') return this.members(({ value }) => value)
    const constant = toConstant(token)
    if (constant === undefined) throw unknown(this.text)
    return () => constant.value
  }

  private members(from: Evaluate): Evaluate {
    let inner = from
    for (;;) {
      if (this.take('.')) inner = this.member(inner, this.tokens[this.at++] ?? '')
      else if (this.take('[')) {
        const constant = toConstant(this.tokens[this.at++] ?? '')
        this.expect(']')
        if (constant === undefined) throw unknown(this.text)
        inner = memberOf(inner, String(constant.value))
      } else return inner
    }
  }

  private member(from: Evaluate, name: string): Evaluate {
    if (name !== 'match' && name !== 'test') {
      if (!/^[A-Za-z_$][\w$-]*$/.test(name)) throw unknown(this.text)
      return name === 'length' ? lengthOf(from) : memberOf(from, name)
    }
    this.expect('(')
    const pattern = toPattern(this.tokens[this.at++] ?? '')
    this.expect(')')
    return (candidate) => {
      const value = from(candidate)
      return (typeof value === 'string' || typeof value === 'number') && pattern(String(value))
    }
  }

  private take(token: string): boolean {
    if (this.tokens[this.at] !== token) return false
    this.at++
    return true
  }

  private expect(token: string): void {
    if (!this.take(token)) throw unknown(this.text)
  }
}

const either =
  (left: Evaluate, right: Evaluate): Evaluate =>
  (candidate) =>
    left(candidate) || right(candidate)
const both =
  (left: Evaluate, right: Evaluate): Evaluate =>
  (candidate) =>
    left(candidate) && right(candidate)
const memberOf =
  (from: Evaluate, name: string): Evaluate =>
  (candidate) =>
    childOf(from(candidate), name)

function lengthOf(from: Evaluate): Evaluate {
  return (candidate) => {
    const value = from(candidate)
    return typeof value === 'string' || Array.isArray(value) ? value.length : childOf(value, 'length')
  }
}

const COMPARISONS = new Map<string, (left: unknown, right: unknown) => boolean>([
  ['===', (left, right) => left === right],
  ['==', (left, right) => left === right || (left ?? null) === (right ?? null)],
  ['!==', (left, right) => left !== right],
  ['!=', (left, right) => (left ?? null) !== (right ?? null)],
  ['<', (left, right) => Number(left) < Number(right)],
  ['<=', (left, right) => Number(left) <= Number(right)],
  ['>', (left, right) => Number(left) > Number(right)],
  ['>=', (left, right) => Number(left) >= Number(right)],
])

const WORDS = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['undefined', undefined],
])

function toConstant(token: string): { readonly value: unknown } | undefined {
  if (WORDS.has(token)) return { value: WORDS.get(token) }
  if (/^['"]/.test(token)) return { value: token.slice(1, -1).replaceAll(/\\(.)/g, '$1') }
  return /^-?\d/.test(token) ? { value: Number(token) } : undefined
}

/** `/…/flags` as rulesets write it, to a test in linear time. */
export function toPattern(token: string): (text: string) => boolean {
  const [, source, flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(token) ?? []
  if (source === undefined || /[^gimsu]/.test(flags))
    throw new RulesetFault(`${token} is no pattern`, 'Write /…/ or /…/i.')
  try {
    const isPlain = !/[ims]/.test(flags)
    const compiled = isPlain
      ? compilePattern(source, 'ecma')
      : compilePattern(`(?${flags.replaceAll(/[gu]/g, '')})${source}`, 're2')
    return (text) => compiled.test(text)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    throw new RulesetFault(
      `the pattern ${token} cannot be used: ${error.message}`,
      'Write it without look-around and back references.',
    )
  }
}

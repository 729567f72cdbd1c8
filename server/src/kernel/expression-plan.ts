/**
 * Turns the tree of an expression into the one that is evaluated: every variable becomes a numbered slot with a reader
 * of its own. So an evaluation reads only what the expression names, a header or parameter that is missing is an empty
 * text and not an error, and what could run long is refused or bounded before any request sees it.
 */
import type { ASTNode } from '@marcbachmann/cel-js'
import { findChain, isVariableGroup, type Chain } from './expression-chain.ts'
import { ExpressionError } from './expression-error.ts'
import { isFilled, type Read, type VariableType } from './expression-variables.ts'
import { compilePattern, type LinearPattern } from './linear-pattern.ts'
import { PatternError } from './pattern-error.ts'

/** Different variables, and different patterns, that one expression may name. */
export const MAX_SLOTS = 16

export interface ExpressionPlan {
  /** CEL over slots such as `slot_string_0`, in parentheses wherever they may matter. */
  readonly text: string
  readonly readers: readonly Read[]
  readonly patterns: readonly LinearPattern[]
}

interface Planning {
  readonly readers: Map<string, Read>
  readonly patterns: LinearPattern[]
  /** Names that the macro around the node binds, e.g. `r` in `roles.exists(r, …)`. */
  readonly bound: readonly string[]
}

type Call = Extract<ASTNode, { op: 'call' }>
type Method = Extract<ASTNode, { op: 'rcall' }>

const functions = toSet('size int double string bool dyn timestamp duration')
const methods = toSet(
  'size contains startsWith endsWith indexOf lastIndexOf substring lowerAscii upperAscii trim getFullYear getMonth ' +
    'getDate getDayOfMonth getDayOfWeek getDayOfYear getHours getMinutes getSeconds getMilliseconds',
)
const macros = toSet('all exists exists_one map filter')

/** Plans a parsed expression; throws an ExpressionError at what is not available or would have no bound. */
export function planExpression(ast: ASTNode): ExpressionPlan {
  const planning: Planning = { readers: new Map(), patterns: [], bound: [] }
  const text = render(ast, planning)
  return { text, readers: [...planning.readers.values()], patterns: planning.patterns }
}

function render(node: ASTNode, planning: Planning): string {
  const { op } = node
  if (op === 'value') return renderValue(node.args, node)
  if (op === 'id' || op === '.' || op === '[]') return renderAccess(node, planning)
  if (op === 'call') return renderCall(node, planning)
  if (op === 'rcall') return renderMethod(node, planning)
  if (op === 'list') return `[${renderAll(node.args, planning)}]`
  if (op === 'map') {
    return `{${node.args.map(([key, value]) => `${render(key, planning)}: ${render(value, planning)}`).join(', ')}}`
  }
  if (op === '?:') {
    const [condition, yes, no] = node.args
    return `(${render(condition, planning)} ? ${render(yes, planning)} : ${render(no, planning)})`
  }
  if (op === '!_' || op === '-_') return `${op[0]}(${render(node.args, planning)})`
  if (op === '.?' || op === '[?]') {
    throw new ExpressionError('Optional access is not available', node.pos, 'Ask with has(…).')
  }
  return `(${render(node.args[0], planning)} ${op} ${render(node.args[1], planning)})`
}

function renderAll(nodes: readonly ASTNode[], planning: Planning): string {
  return nodes.map((each) => render(each, planning)).join(', ')
}

function renderValue(value: unknown, node: ASTNode): string {
  // JSON's escapes are a part of CEL's.
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return Number.isInteger(value) && value < 1e15 ? `${value}.0` : String(value)
  if (typeof value === 'bigint' || typeof value === 'boolean' || value === null) return String(value)
  throw new ExpressionError('Unsigned numbers and bytes are not available', node.pos)
}

function renderAccess(node: ASTNode, planning: Planning): string {
  const chain = findChain(node, planning.bound)
  if (chain !== undefined) return renderChain(chain, planning)
  if (node.op === 'id') return node.args
  if (node.op === '.') return `(${render(node.args[0], planning)}).${node.args[1]}`
  if (node.op !== '[]') throw new ExpressionError('Unexpected access', node.pos)
  const [left, key] = node.args
  const { variable, path } = findChain(left, planning.bound) ?? { variable: undefined, path: [] }
  const lookUp = variable?.lookUp
  if (lookUp === undefined || path.length > 0) return `(${render(left, planning)})[${render(key, planning)}]`
  return `${lookUp}(${render(key, planning)})`
}

function renderChain({ label, variable, path }: Chain, planning: Planning): string {
  const { at } = variable
  if (at === undefined || path.length === 0) return slot(label, variable.type, variable.read, planning)
  const { missing } = variable
  return slot(label, missing === null ? 'dyn' : 'string', (exchange) => at(exchange, path) ?? missing, planning)
}

function slot(label: string, type: VariableType, read: Read, { readers }: Planning): string {
  if (!readers.has(label)) readers.set(label, read)
  const at = [...readers.keys()].indexOf(label)
  if (at >= MAX_SLOTS) throw new ExpressionError(`More than ${MAX_SLOTS} different variables`, 0)
  return slotName(type, at)
}

export function slotName(type: VariableType, at: number): string {
  return `slot_${type.replaceAll(/\W+/g, '_')}_${at}`
}

function renderCall(node: Call, planning: Planning): string {
  const [name, [first, ...others]] = node.args
  if (name === 'has' && first !== undefined && others.length === 0) return renderHas(first, planning)
  if (!functions.has(name)) throw unavailable(name, node)
  if (name === 'duration' && first?.op !== 'value') {
    // The library reads durations with a pattern that takes cubic time.
    throw new ExpressionError('duration() takes a text in quotes', node.start)
  }
  return `${name === 'int' ? 'to_int' : name}(${renderAll(node.args[1], planning)})`
}

/** True for a name that is there, and for a variable that is not empty. */
function renderHas(node: ASTNode, planning: Planning): string {
  const chain = node.op === '.' || node.op === '[]' ? findChain(node, planning.bound) : undefined
  if (chain !== undefined) {
    const { label, variable, path } = chain
    const { at, read } = variable
    const isThere: Read =
      at === undefined || path.length === 0
        ? (exchange) => isFilled(read(exchange))
        : (exchange) => at(exchange, path) !== undefined
    return slot(`has ${label}`, 'bool', isThere, planning)
  }
  if (node.op !== '.') throw new ExpressionError('has() takes a name such as request.query.page', node.pos)
  return `has((${render(node.args[0], planning)}).${node.args[1]})`
}

function renderMethod(node: Method, planning: Planning): string {
  const [name, receiver, args] = node.args
  if (macros.has(name)) return renderMacro(node, planning)
  if (name === 'matches') return renderMatches(node, planning)
  const parts = `${render(receiver, planning)}, ${renderAll(args, planning)}`
  if (name === 'split' && args.length === 1) return `bounded_split(${parts})`
  if (!methods.has(name)) throw unavailable(name, node)
  return `(${render(receiver, planning)}).${name}(${renderAll(args, planning)})`
}

function renderMatches(node: Method, planning: Planning): string {
  const [, receiver, [pattern]] = node.args
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string') {
    throw new ExpressionError('matches() takes a pattern in quotes', node.pos)
  }
  const at = planning.patterns.length
  if (at >= MAX_SLOTS) throw new ExpressionError(`More than ${MAX_SLOTS} patterns`, pattern.start)
  try {
    planning.patterns.push(compilePattern(pattern.args, 're2'))
  } catch (cause) {
    if (!(cause instanceof PatternError)) throw cause
    throw new ExpressionError(`The pattern cannot be used: ${cause.message}`, pattern.start)
  }
  return `matches_${at}(${render(receiver, planning)})`
}

/** One inside another would be a nested loop over what a client sends, so each stands alone. */
function renderMacro(node: Method, planning: Planning): string {
  const [name, receiver, [variable, ...bodies]] = node.args
  if (planning.bound.length > 0) throw new ExpressionError(`${name}() stands inside another loop`, node.pos)
  if (variable?.op !== 'id') throw new ExpressionError(`${name}() takes a name and an expression`, node.pos)
  if (isVariableGroup(variable.args)) {
    throw new ExpressionError(`${variable.args} is a variable already`, variable.pos, 'Choose another name.')
  }
  const inner = { ...planning, bound: [variable.args] }
  return `(${render(receiver, planning)}).${name}(${variable.args}, ${renderAll(bodies, inner)})`
}

function unavailable(name: string, node: ASTNode): ExpressionError {
  const known = [...new Set([...functions, 'has', ...methods, ...macros, 'matches', 'split'])].toSorted()
  return new ExpressionError(`${name}() is not available`, node.start, `There are ${known.join(', ')}.`)
}

function toSet(names: string): ReadonlySet<string> {
  return new Set(names.split(' '))
}

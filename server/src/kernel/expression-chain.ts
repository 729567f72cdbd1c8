/** Finds the variable that a chain of names such as `request.query.page` stands for. */
import type { ASTNode } from '@marcbachmann/cel-js'
import { ExpressionError } from './expression-error.ts'
import { now, variables, type Variable } from './expression-variables.ts'

export interface Chain {
  /** The same for the same place, however it is written. */
  readonly label: string
  readonly variable: Variable
  /** The names below the variable; empty when it is meant as a whole. */
  readonly path: readonly string[]
}

const groups = new Map(Object.entries(variables))

export function isVariableGroup(name: string): boolean {
  return name === 'now' || groups.has(name)
}

/** The chain that a node is, or undefined when it is something else; throws where it names what there is not. */
export function findChain(node: ASTNode, bound: readonly string[]): Chain | undefined {
  const names: string[] = []
  let root = node
  while (root.op === '.' || root.op === '[]') {
    const [left, name] = root.args
    const text = typeof name === 'string' ? name : literalOf(name)
    if (text === undefined) return undefined
    names.unshift(text)
    root = left
  }
  if (root.op !== 'id' || bound.includes(root.args)) return undefined
  return chainOf(root.args, names, node, root)
}

function literalOf(node: ASTNode): string | undefined {
  return node.op === 'value' && typeof node.args === 'string' ? node.args : undefined
}

function chainOf(root: string, names: readonly string[], node: ASTNode, rootNode: ASTNode): Chain | undefined {
  if (root === 'now') return names.length === 0 ? { label: root, variable: now, path: [] } : undefined
  const group = groups.get(root)
  if (group === undefined) {
    throw new ExpressionError(
      `Unknown variable ${root}`,
      rootNode.start,
      `There are ${[...groups.keys(), 'now'].join(', ')}.`,
    )
  }
  const [field, ...path] = names
  const hint = `${root} has ${Object.keys(group).join(', ')}.`
  if (field === undefined) throw new ExpressionError(`${root} stands alone`, rootNode.start, hint)
  const variable = Object.hasOwn(group, field) ? group[field] : undefined
  if (variable === undefined) {
    const told = `${root}.${field}` === 'request.body' ? NO_BODY : hint
    throw new ExpressionError(`Unknown variable ${root}.${field}`, rootNode.start, told)
  }
  return place(`${root}.${field}`, variable, path, node)
}

function place(label: string, variable: Variable, path: readonly string[], node: ASTNode): Chain {
  if (path.length > 0 && variable.at === undefined) {
    throw new ExpressionError(`${label} has nothing below it`, node.pos)
  }
  if (path.length > 1 && variable.type !== 'map') {
    throw new ExpressionError(`${label}.${path[0]} has nothing below it`, node.pos)
  }
  const names = variable.ignoreCase === true ? path.map((name) => name.toLowerCase()) : path
  return { label: JSON.stringify([label, ...names]), variable, path: names }
}

const NO_BODY = 'An expression never makes the gateway read a body.'

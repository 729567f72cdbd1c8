import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compileExpression } from '../src/kernel/expression.ts'
import { variables } from '../src/kernel/expression-variables.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/guides/expressions.md'), 'utf8')
const block = /```cel\n([^`]*)```/.exec(page)?.[1] ?? ''

describe('the guide to expressions', () => {
  test.each(block.trim().split('\n'))('has an example that compiles: %s', (source) => {
    expect(compileExpression(source, 'bool')).toBeTypeOf('function')
  })

  test('names every variable', () => {
    const names = Object.entries(variables).flatMap(([group, fields]) =>
      Object.keys(fields).map((field) => `\`${group}.${field}`),
    )
    expect(names.filter((name) => !page.includes(name))).toEqual([])
  })

  test('names every function, and none that is not there', () => {
    const list = /## Functions\n([^#]*)/.exec(page)?.[1] ?? ''
    const named = [...list.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? '')
    let known = ''
    try {
      compileExpression('nothing()', 'bool')
    } catch (error) {
      known = error instanceof Error ? error.message : ''
    }
    const there = /There are (.*)\.$/.exec(known)?.[1]?.split(', ') ?? []
    expect(named.toSorted()).toEqual([...new Set(there)].toSorted())
  })
})

/** Rules about schemas, and about data that should not stand in a document. */
import { isTree, listOf, textsOf, toTree, type Tree } from '../../config/openapi/json-tree.ts'
import { compilePattern } from '../../kernel/linear-pattern.ts'
import { PatternError } from '../../kernel/pattern-error.ts'
import { defineLintRule, type LintRule, type Tell } from './lint-rule.ts'

const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object', 'null', 'file'])

/** Beginnings and forms that only secrets have. */
const SECRETS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ['a key of AWS', /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/],
  ['a token of GitHub', /\bgh[pousr]_[A-Za-z0-9]{36}\b/],
  ['a token of Slack', /\bxox[abprs]-[A-Za-z0-9-]{10,72}\b/],
  ['a live key of Stripe', /\b[rs]k_live_[A-Za-z0-9]{16,64}\b/],
  ['a key of Google', /\bAIza[A-Za-z0-9_-]{35}\b/],
]

export const schemaRules: readonly LintRule[] = [
  defineLintRule({
    id: 'schema-type',
    severity: 'error',
    title: 'The type of a schema is one that JSON Schema knows.',
    remedy: 'Known: string, number, integer, boolean, array, object, null.',
    parts: {
      schema(value, path, tell) {
        const { type } = value
        const types = Array.isArray(type) ? listOf(type) : type === undefined ? [] : [type]
        for (const each of types)
          if (typeof each !== 'string' || !TYPES.has(each))
            tell([...path, 'type'], `the type ${JSON.stringify(each)} is not known`)
      },
    },
  }),
  defineLintRule({
    id: 'schema-items',
    severity: 'warning',
    title: 'An array says what its items are.',
    remedy: 'Add `items`.',
    parts: {
      schema(value, path, tell) {
        if (value['type'] === 'array' && value['items'] === undefined && value['prefixItems'] === undefined)
          tell(path, 'the array has no items')
      },
    },
  }),
  defineLintRule({
    id: 'schema-enum',
    severity: 'warning',
    title: 'Values of an enum are of the type of the schema, and stand in it once.',
    remedy: 'Mend the value or the type.',
    parts: {
      schema(value, path, tell) {
        const seen = new Set<string>()
        for (const [index, each] of listOf(value['enum']).entries()) {
          const text = JSON.stringify(each)
          if (seen.has(text)) tell([...path, 'enum', index], `${text} stands twice`)
          seen.add(text)
          if (!fitsType(each, value)) tell([...path, 'enum', index], `${text} is not of the type of the schema`)
        }
      },
    },
  }),
  defineLintRule({
    id: 'schema-pattern',
    severity: 'error',
    title: 'A pattern is one that can be matched in time linear in the text.',
    remedy: 'Write it without look-around, back references and large repetitions of groups.',
    parts: {
      schema(value, path, tell) {
        const { pattern } = value
        const fault = typeof pattern === 'string' ? patternFault(pattern) : undefined
        if (fault !== undefined) tell([...path, 'pattern'], `the pattern cannot be used: ${fault}`)
      },
    },
  }),
  defineLintRule({
    id: 'schema-required',
    severity: 'warning',
    title: 'Properties that are required are described.',
    remedy: 'Describe the property, or mend its spelling.',
    parts: {
      schema(value, path, tell) {
        const properties = value['properties']
        if (!isTree(properties)) return
        for (const [index, name] of textsOf(value['required']).entries()) {
          if (!Object.hasOwn(properties, name))
            tell([...path, 'required', index], `the property ${name} is not described`)
        }
      },
    },
  }),
  defineLintRule({
    id: 'no-secrets',
    severity: 'error',
    title: 'Examples, defaults and descriptions hold no secrets.',
    remedy: 'Revoke it, and write something that is made up.',
    parts: {
      document: (value, path, tell) => {
        lookForSecrets(value['info'], [...path, 'info'], tell)
        lookForSecrets(value['servers'], [...path, 'servers'], tell)
      },
      schema: (value, path, tell) =>
        lookIn(value, ['example', 'examples', 'default', 'enum', 'const', 'description'], path, tell),
      parameter: (value, path, tell) => lookIn(value, ['example', 'default', 'description'], path, tell),
      header: (value, path, tell) => lookIn(value, ['example', 'description'], path, tell),
      mediaType: (value, path, tell) => lookIn(value, ['example'], path, tell),
      example: (value, path, tell) => lookForSecrets(value, path, tell),
      operation: (value, path, tell) => lookIn(value, ['description', 'summary'], path, tell),
    },
  }),
]

function fitsType(value: unknown, { type, nullable }: Tree): boolean {
  if (value === null && nullable === true) return true
  const types = Array.isArray(type) ? textsOf(type) : typeof type === 'string' ? [type] : []
  if (types.length === 0) return true
  const own = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  return types.some((each) => each === own || (each === 'integer' && Number.isInteger(value)))
}

function patternFault(pattern: string): string | undefined {
  try {
    compilePattern(pattern, 'ecma')
    return undefined
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    return error.message
  }
}

function lookIn(value: Tree, keys: readonly string[], path: readonly (string | number)[], tell: Tell): void {
  for (const key of keys) if (value[key] !== undefined) lookForSecrets(value[key], [...path, key], tell)
}

/** Texts anywhere in a value. The message does not repeat what it found. */
function lookForSecrets(value: unknown, path: readonly (string | number)[], tell: Tell): void {
  if (typeof value === 'string') {
    const found = SECRETS.find(([, pattern]) => pattern.test(value))
    if (found !== undefined) tell(path, `what stands here looks like ${found[0]}`)
  } else if (Array.isArray(value)) value.forEach((each, index) => lookForSecrets(each, [...path, index], tell))
  else for (const [key, each] of Object.entries(toTree(value))) lookForSecrets(each, [...path, key], tell)
}

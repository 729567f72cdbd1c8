/** The functions that a ruleset may ask for, by the names that Spectral gave them. Unknown options are refused. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import { isTree, listOf, textsOf, toTree, type Tree } from '../../../config/openapi/json-tree.ts'
import type { LintView } from '../lint-view.ts'
import { toPattern } from './filter.ts'
import { RulesetFault } from './ruleset-fault.ts'

/** Says what is wrong with a value; undefined when nothing is. `below` is where, when not the value itself. */
export interface Complaint {
  readonly message: string
  readonly below?: readonly (string | number)[]
}
export type Check = (value: unknown, view: LintView) => readonly Complaint[]

type Compile = (options: Tree) => Check

const fine: readonly Complaint[] = []
const complain = (message: string): readonly Complaint[] => [{ message }]

const CASINGS: Readonly<Record<string, RegExp>> = {
  flat: /^[a-z][a-z0-9]*$/,
  camel: /^[a-z][a-z0-9]*(?:[A-Z0-9][a-z0-9]*)*$/,
  pascal: /^[A-Z][a-z0-9]*(?:[A-Z0-9][a-z0-9]*)*$/,
  kebab: /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/,
  cobol: /^[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*$/,
  snake: /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/,
  macro: /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/,
}

/** Texts that casing looks at are names, and its expressions take time with the square of longer ones. */
const MOST_NAME_CHARS = 1000

const functions: Readonly<Record<string, { readonly options: readonly string[]; readonly compile: Compile }>> = {
  truthy: { options: [], compile: () => (value) => (value ? fine : complain('must not be empty')) },
  falsy: { options: [], compile: () => (value) => (value ? complain('must be empty') : fine) },
  defined: { options: [], compile: () => (value) => (value === undefined ? complain('must be there') : fine) },
  undefined: { options: [], compile: () => (value) => (value === undefined ? fine : complain('must not be there')) },
  pattern: { options: ['match', 'notMatch'], compile: compilePatterns },
  casing: { options: ['type', 'disallowDigits', 'separator'], compile: compileCasing },
  enumeration: { options: ['values'], compile: compileEnumeration },
  length: { options: ['min', 'max'], compile: compileLength },
  alphabetical: { options: ['keyedBy'], compile: compileAlphabetical },
  xor: { options: ['properties'], compile: ({ properties }) => countProperties(textsOf(properties), 1, 1) },
  or: {
    options: ['properties'],
    compile: ({ properties }) => countProperties(textsOf(properties), 1, Number.POSITIVE_INFINITY),
  },
  schema: { options: ['schema', 'dialect', 'allErrors'], compile: compileSchema },
  typedEnum: { options: [], compile: () => checkTypedEnum },
  unreferencedReusableObject: { options: ['reusableObjectsLocation'], compile: compileUnreferenced },
}

export function compileFunction(name: unknown, options: unknown): Check {
  const found = typeof name === 'string' && Object.hasOwn(functions, name) ? functions[name] : undefined
  if (found === undefined) {
    throw new RulesetFault(
      `the function ${JSON.stringify(name)} is not known`,
      `Known: ${Object.keys(functions).join(', ')}.`,
    )
  }
  const given = toTree(options)
  const unknown = Object.keys(given).find((key) => !found.options.includes(key))
  if (unknown !== undefined)
    throw new RulesetFault(`${String(name)} has no option ${unknown}`, `Known: ${found.options.join(', ') || 'none'}.`)
  return found.compile(given)
}

function compilePatterns({ match, notMatch }: Tree): Check {
  const compile = (source: unknown): ((text: string) => boolean) | undefined => {
    if (typeof source !== 'string') return undefined
    return toPattern(/^\/.*\/[a-z]*$/s.test(source) ? source : `/${source}/`)
  }
  const [wanted, unwanted] = [compile(match), compile(notMatch)]
  if (wanted === undefined && unwanted === undefined)
    throw new RulesetFault('pattern needs `match` or `notMatch`', 'Add one as text.')
  return (value) => {
    if (typeof value !== 'string') return fine
    if (wanted?.(value) === false) return complain(`must match the pattern ${String(match)}`)
    return unwanted?.(value) === true ? complain(`must not match the pattern ${String(notMatch)}`) : fine
  }
}

function compileCasing({ type, disallowDigits, separator }: Tree): Check {
  const pattern = typeof type === 'string' ? CASINGS[type] : undefined
  if (pattern === undefined)
    throw new RulesetFault('casing needs a `type`', `Known: ${Object.keys(CASINGS).join(', ')}.`)
  const { char, allowLeading } = toTree(separator)
  return (value) => {
    if (typeof value !== 'string' || value === '') return fine
    const bare =
      allowLeading === true && typeof char === 'string' && value.startsWith(char) ? value.slice(char.length) : value
    const parts = typeof char === 'string' && char !== '' ? bare.split(char) : [bare]
    const isCased = parts.every((part) => part.length <= MOST_NAME_CHARS && pattern.test(part))
    return isCased && !(disallowDigits === true && /\d/.test(value))
      ? fine
      : complain(`must be in ${String(type)} case`)
  }
}

function compileEnumeration({ values }: Tree): Check {
  if (!Array.isArray(values)) throw new RulesetFault('enumeration needs `values`', 'Add a list.')
  return (value) => {
    const isListed = typeof value === 'object' || value === undefined || values.includes(value)
    return isListed ? fine : complain(`must be one of ${values.map((each) => JSON.stringify(each)).join(', ')}`)
  }
}

function compileLength({ min, max }: Tree): Check {
  const isBound = (value: unknown): boolean => value === undefined || typeof value === 'number'
  if (!isBound(min) || !isBound(max) || (min === undefined && max === undefined)) {
    throw new RulesetFault('length needs `min` or `max`', 'Add a number.')
  }
  return (value) => {
    const length = lengthOf(value)
    if (length === undefined) return fine
    if (typeof min === 'number' && length < min) return complain(`must not be shorter than ${min}`)
    return typeof max === 'number' && length > max ? complain(`must not be longer than ${max}`) : fine
  }
}

function lengthOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'string' || Array.isArray(value)) return value.length
  return isTree(value) ? Object.keys(value).length : undefined
}

function compileAlphabetical({ keyedBy }: Tree): Check {
  return (value) => {
    const names = Array.isArray(value)
      ? value.map((each: unknown) => (typeof keyedBy === 'string' ? toTree(each)[keyedBy] : each))
      : Object.keys(toTree(value))
    const at = names.findIndex((name, index) => index > 0 && String(names[index - 1]) > String(name))
    return at === -1 ? fine : complain(`must be in the order of the alphabet: ${String(names[at])} comes too late`)
  }
}

function countProperties(names: readonly string[], least: number, most: number): Check {
  if (names.length < 2) throw new RulesetFault('two `properties` at least are needed', 'Add a list of names.')
  return (value) => {
    if (!isTree(value)) return fine
    const count = names.filter((name) => Object.hasOwn(value, name)).length
    return count >= least && count <= most
      ? fine
      : complain(`must have ${most === 1 ? 'exactly' : 'at least'} one of ${names.join(', ')}`)
  }
}

function compileSchema({ schema, allErrors }: Tree): Check {
  if (!isTree(schema)) throw new RulesetFault('schema needs a `schema`', 'Add a JSON Schema.')
  const regExp = Object.assign((source: string) => ({ test: toPattern(`/${source}/`) }), { code: 'new RegExp' })
  try {
    const { $schema: _, ...rest } = schema
    const ajv = new Ajv2020({
      strict: false,
      allErrors: allErrors === true,
      logger: false,
      validateFormats: false,
      code: { regExp },
    })
    const validate = ajv.compile(rest)
    return (value) => {
      if (validate(value)) return fine
      return (validate.errors ?? []).map(({ instancePath, message = 'is wrong' }) => ({
        message,
        below: instancePath
          .split('/')
          .slice(1)
          .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~')),
      }))
    }
  } catch (error) {
    if (error instanceof RulesetFault) throw error
    throw new RulesetFault(`the schema cannot be used: ${error instanceof Error ? error.message : ''}`, 'Mend it.')
  }
}

const checkTypedEnum: Check = (value) => {
  const { type, enum: values } = toTree(value)
  if (typeof type !== 'string') return fine
  return listOf(values).flatMap((each, index): Complaint[] => {
    const own = each === null ? 'null' : Array.isArray(each) ? 'array' : typeof each
    const fits =
      own === type ||
      (type === 'integer' && Number.isInteger(each)) ||
      (own === 'null' && toTree(value)['nullable'] === true)
    return fits ? [] : [{ message: `must be of the type ${type}`, below: ['enum', index] }]
  })
}

function compileUnreferenced({ reusableObjectsLocation: place }: Tree): Check {
  if (typeof place !== 'string' || !place.startsWith('#')) {
    throw new RulesetFault(
      'unreferencedReusableObject needs `reusableObjectsLocation`',
      'Write a pointer such as #/components/schemas.',
    )
  }
  return (value, { document }) => {
    const used = collectReferences(document)
    return Object.keys(toTree(value)).flatMap((name): Complaint[] => {
      const pointer = `${place}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
      const isUsed = [...used].some((reference) => reference === pointer || reference.startsWith(`${pointer}/`))
      return isUsed ? [] : [{ message: 'is not referred to', below: [name] }]
    })
  }
}

function collectReferences(document: unknown): ReadonlySet<string> {
  const references = new Set<string>()
  const open: unknown[] = [document]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (isTree(at) && typeof at['$ref'] === 'string') references.add(at['$ref'])
    if (typeof at === 'object' && at !== null)
      for (const inner of Object.values(at)) if (inner !== null) open.push(inner)
  }
  return references
}

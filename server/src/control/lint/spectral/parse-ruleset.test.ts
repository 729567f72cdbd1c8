// oxlint-disable unicorn/no-thenable -- `then` is the word of the format, and nothing awaits it.
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { lintDocument } from '../lint-document.ts'
import { lintRules } from '../rules.ts'
import { compileJsonPath } from './json-path.ts'
import { parseRuleset } from './parse-ruleset.ts'

const document = {
  openapi: '3.1.0',
  info: { title: 'Books', version: '1' },
  tags: [{ name: 'b' }, { name: 'a' }],
  paths: {
    '/books': { get: { operationId: 'ListBooks', parameters: [{ name: 'page_size', in: 'query' }] }, post: {} },
    '/Shelves': { get: { operationId: 'list-shelves' } },
  },
  components: { schemas: { Used: { type: 'string', enum: [1] }, Unused: { $ref: '#/components/schemas/Used' } } },
}

/** Findings of rules, as a ruleset in YAML. */
function lint(ruleset: object): string[] {
  const parsed = parseRuleset(stringify(ruleset))
  if (parsed.kind === 'refused') throw new Error(JSON.stringify(parsed.issues))
  return lintDocument(document, parsed.ruleset).map(
    ({ severity, pointer, message }) => `${severity} ${pointer} ${message}`,
  )
}

const rule = (given: string, functionName: string, functionOptions?: object, more: object = {}): object => ({
  rules: { own: { given, then: { function: functionName, ...(functionOptions && { functionOptions }), ...more } } },
})

describe('functions', () => {
  test.each([
    [rule('$.info.description', 'truthy'), []],
    [rule('$.info', 'truthy', undefined, { field: 'description' }), ['warning #/info/description must not be empty']],
    [rule('$.info', 'falsy', undefined, { field: 'title' }), ['warning #/info/title must be empty']],
    [rule('$.info', 'defined', undefined, { field: 'x.y' }), ['warning #/info/x/y must be there']],
    [rule('$.info', 'undefined', undefined, { field: 'title' }), ['warning #/info/title must not be there']],
    [
      rule('$.paths', 'pattern', { match: '^/[a-z]+$' }, { field: '@key' }),
      ['warning #/paths/~1Shelves must match the pattern ^/[a-z]+$'],
    ],
    [
      rule('$.info.title', 'pattern', { notMatch: '/BOOK/i' }),
      ['warning #/info/title must not match the pattern /BOOK/i'],
    ],
    [
      rule('$..operationId', 'casing', { type: 'pascal' }),
      ['warning #/paths/~1Shelves/get/operationId must be in pascal case'],
    ],
    [rule('$..parameters[*].name', 'casing', { type: 'snake' }), []],
    [
      rule('$..in', 'enumeration', { values: ['path'] }),
      ['warning #/paths/~1books/get/parameters/0/in must be one of "path"'],
    ],
    [rule('$.info.title', 'length', { max: 3 }), ['warning #/info/title must not be longer than 3']],
    [
      rule('$.tags', 'alphabetical', { keyedBy: 'name' }),
      ['warning #/tags must be in the order of the alphabet: a comes too late'],
    ],
    [
      rule('$.info', 'xor', { properties: ['title', 'version'] }),
      ['warning #/info must have exactly one of title, version'],
    ],
    [rule('$.info', 'or', { properties: ['title', 'x'] }), []],
    [
      rule('$.info', 'schema', { schema: { properties: { version: { type: 'number' } } } }),
      ['warning #/info/version must be number'],
    ],
    [rule('$..[?(@.enum)]', 'typedEnum'), ['warning #/components/schemas/Used/enum/0 must be of the type string']],
    [
      rule('$.components.schemas', 'unreferencedReusableObject', { reusableObjectsLocation: '#/components/schemas' }),
      ['warning #/components/schemas/Unused is not referred to'],
    ],
  ])('%j', (ruleset, findings) => expect(lint(ruleset)).toEqual(findings))
})

describe('rules', () => {
  const then = { field: 'description', function: 'truthy' }

  test('have a severity, a message with what was found, and formats', () => {
    const message = '{{property}} at {{path}}: {{error}} ({{description}})'
    expect(lint({ rules: { own: { given: '$.info', then, severity: 'error', description: 'D', message } } })).toEqual([
      'error #/info/description description at #/info/description: must not be empty (D)',
    ])
    expect(lint({ rules: { own: { given: '$.info', then, formats: ['oas2'] } } })).toEqual([])
    expect(lint({ rules: { own: { given: '$.info', then, severity: 'off' } } })).toEqual([])
  })

  test('extend our own, which can be changed and taken away', () => {
    const parsed = parseRuleset(
      stringify({ extends: ['spectral:oas'], rules: { 'info-contact': 'error', 'operation-tags': 'off' } }),
    )
    const rules = parsed.kind === 'ruleset' ? parsed.ruleset.rules : []
    expect(rules).toHaveLength(lintRules.length - 1)
    expect(rules.find(({ id }) => id === 'info-contact')?.severity).toBe('error')
  })

  test('use aliases and are overridden for a part of the document', () => {
    const aliases = { Operation: ['$.paths[*][get,put,post]'] }
    const overrides = [{ files: ['**#/paths/~1books'], rules: { own: 'off' } }]
    const own = { given: '#Operation', then: { field: 'summary', function: 'truthy' } }
    expect(lint({ aliases, overrides, rules: { own } })).toEqual([
      'warning #/paths/~1Shelves/get/summary must not be empty',
    ])
  })

  test.each([
    [{ rules: { own: { given: '$', then: { function: 'run' } } } }, '#/rules/own', 'the function "run" is not known'],
    [
      { rules: { own: { given: '$', then: { function: 'truthy', functionOptions: { a: 1 } } } } },
      '#/rules/own',
      'truthy has no option a',
    ],
    [
      { rules: { own: { given: 'paths', then: { function: 'truthy' } } } },
      '#/rules/own',
      'the path paths is not known',
    ],
    [
      { rules: { own: { given: '$[?(alert(1))]', then: { function: 'truthy' } } } },
      '#/rules/own',
      'the filter alert(1) is not known',
    ],
    [
      { rules: { own: { given: '$', then: { function: 'pattern', functionOptions: { match: '(?=a)' } } } } },
      '#/rules/own',
      'cannot be used',
    ],
    [
      { rules: { own: { given: '$', then: { function: 'truthy' }, severity: 'loud' } } },
      '#/rules/own',
      'is no severity',
    ],
    [{ rules: { none: 'error' } }, '#/rules/none', 'there is no rule none'],
    [{ extends: 'https://example.com/rules.yaml' }, '#/extends/0', 'cannot be extended'],
    [{ functions: ['own'] }, '#/functions', 'the key functions is not known'],
  ])('%j is refused', (ruleset, pointer, message) => {
    const parsed = parseRuleset(stringify(ruleset))
    expect(parsed).toMatchObject({ kind: 'refused', issues: [{ pointer }] })
    expect(parsed.kind === 'refused' && parsed.issues[0]?.message).toContain(message)
  })

  test('that are no YAML, or too large, are refused', () => {
    expect(parseRuleset('a: [')).toMatchObject({ kind: 'refused' })
    expect(parseRuleset(`#${'x'.repeat(1024 * 1024)}`)).toMatchObject({ kind: 'refused' })
  })
})

describe('paths', () => {
  const find = (path: string): string[] =>
    compileJsonPath(path)
      .find(document, () => undefined)
      .map(({ path: at }) => at.join('/'))

  test.each([
    ['$', ['']],
    ['$.info.title', ['info/title']],
    ["$['info']['title']", ['info/title']],
    ['$.tags[1].name', ['tags/1/name']],
    ['$.tags[*].name', ['tags/0/name', 'tags/1/name']],
    ['$.info.*', ['info/title', 'info/version']],
    ['$.paths[*].get.operationId', ['paths//books/get/operationId', 'paths//Shelves/get/operationId']],
    ['$..operationId', ['paths//books/get/operationId', 'paths//Shelves/get/operationId']],
    [
      "$.paths[*][?(@property === 'get' || @property === 'post')]",
      ['paths//books/get', 'paths//books/post', 'paths//Shelves/get'],
    ],
    ["$..parameters[?(@.in == 'query')].name", ['paths//books/get/parameters/0/name']],
    ['$.paths[?(@property.match(/^\\/S/))]', ['paths//Shelves']],
    ["$.tags[?(@.name && @.name.length < 2 && !(@.name == 'a'))]", ['tags/0']],
    ['$.paths[*]~', ['paths//books', 'paths//Shelves']],
    ['$.nothing.at.all', []],
  ])('%s', (path, places) => expect(find(path)).toEqual(places))

  test('with ~ give the keys themselves', () => {
    expect(
      compileJsonPath('$.paths[*]~')
        .find(document, () => undefined)
        .map(({ value }) => value),
    ).toEqual(['/books', '/Shelves'])
  })
})

test('a rule whose paths would look at too much is told of as such, and the others are held all the same', () => {
  const paths = Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`/a${index}`, {}]))
  const own = { severity: 'error', given: '$.info', then: { field: 'description', function: 'truthy' } }
  const dear = { ...own, given: Array.from({ length: 100 }, () => '$..nothing') }
  const parsed = parseRuleset(stringify({ rules: { dear, own } }))
  if (parsed.kind === 'refused') throw new Error(JSON.stringify(parsed.issues))
  const found = lintDocument({ ...document, paths }, parsed.ruleset)
  expect(found.map(({ rule: id, severity }) => [id, severity])).toEqual([
    ['lint-incomplete', 'error'],
    ['own', 'error'],
  ])
  expect(found[0]?.message).toContain('dear')
})

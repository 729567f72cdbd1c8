import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileFiles, documentWith, findIssues } from '../../test/test-config.ts'
import { FileReader } from './file-reader.ts'
import { createSubstitute, escapeReferences } from './substitute.ts'

const header = (value: string): string =>
  documentWith('').replace('targets:', (key) => `headers: [{ name: a, value: ${JSON.stringify(value)} }], ${key}`)

function valueOf(text: string, environment: Record<string, string>, files: Record<string, string> = {}): string {
  const { snapshot } = compileFiles({ 'headgate.yaml': header(text), ...files }, { environment })
  return snapshot.upstreams[0]?.headers[0]?.value ?? ''
}

describe('references to the environment', () => {
  test.each([
    ['${TOKEN}', 'abc'],
    ['Bearer ${TOKEN}, ${OTHER}', 'Bearer abc, xyz'],
    ['${MISSING:-none}', 'none'],
    ['${EMPTY:-none}', 'none'],
    ['${TOKEN:-none}', 'abc'],
    ['$${TOKEN}', '${TOKEN}'],
    ['${:-file:}/etc/hosts', 'file:/etc/hosts'],
    ['a${:-}b', 'ab'],
    ['costs $5 and {x}', 'costs $5 and {x}'],
    ['${NESTED}', '${TOKEN}'],
  ])('%s is %s', (text, expected) => {
    expect(valueOf(text, { TOKEN: 'abc', OTHER: 'xyz', EMPTY: '', NESTED: '${TOKEN}' })).toBe(expected)
  })

  test('that are not set are refused, with the name and the place', () => {
    expect(findIssues({ 'a.yaml': header('Bearer ${TOKEN}') })).toEqual([
      'a.yaml:3:44: the environment variable TOKEN is not set. Set it, or give a default: `${TOKEN:-…}`.',
    ])
  })

  test('are read as numbers and booleans where those are expected, and only there', () => {
    const text = documentWith(
      'gateway: { serverTiming: "${ON}", limits: { maxFields: "${FIELDS}" } }\nconsumers: [{ name: "${FIELDS}" }]',
    )
    const { snapshot } = compileFiles({ 'a.yaml': text }, { environment: { ON: 'false', FIELDS: '50' } })
    expect(snapshot.listener.serverTiming).toBe(false)
    expect(snapshot.listener.limits.maxFields).toBe(50)
    expect(snapshot.consumers[0]?.name).toBe('50')
  })

  test('are no excuse for text in the file where a number is expected', () => {
    expect(findIssues({ 'a.yaml': documentWith('gateway: { limits: { maxFields: "50" } }') })).toEqual([
      'a.yaml:6:33: gateway.limits.maxFields: must be a number, not text.',
    ])
  })
})

describe('references to files', () => {
  test('give the content without the line break at its end, from beside the document', () => {
    expect(valueOf('file:secrets/token', {}, { 'secrets/token': 'abc\n' })).toBe('abc')
    expect(valueOf('file:${DIR}/token', { DIR: 'secrets' }, { 'secrets/token': 'abc' })).toBe('abc')
  })

  test('in a variable are text: whoever sets variables cannot read files', () => {
    expect(valueOf('${TOKEN}', { TOKEN: 'file:/etc/passwd' })).toBe('file:/etc/passwd')
  })

  test('that lead nowhere are refused', () => {
    expect(findIssues({ 'a.yaml': header('file:nowhere') })[0]).toContain(
      'a.yaml:3:44: the file nowhere does not exist',
    )
  })
})

test('no message shows what came from a variable or a file', () => {
  const secret = 's3cret-value-of-good-length'
  const text = documentWith(`consumers: [{ name: "\${S}", subscriptions: [{ product: "\${S}", plan: "file:s" }] }]
policies: [{ kind: "\${S}" }]
gateway: { debugKey: "\${S}", limits: { maxFields: "\${S}" }, tls: { certificates: [{ cert: "\${S}", key: "file:s" }] } }`)
  const refused = findIssues({ 'a.yaml': text, s: secret }, { environment: { S: secret } })
  const without = text.replace('policies: [{ kind: "${S}" }]', '').replace('maxFields: "${S}"', '')
  const more = findIssues({ 'a.yaml': without, s: secret }, { environment: { S: secret } })
  expect(refused.length).toBeGreaterThan(1)
  expect(more.length).toBeGreaterThan(2)
  expect([...refused, ...more].join('\n')).not.toContain(secret)
})

describe('references to secrets of a control plane', () => {
  const read = createSubstitute('a.yaml', { TOKEN: 'abc' }, new FileReader(), 'control')

  test('travel to it as they are', () => {
    expect(read('Bearer ${secret:shop.token}, ${TOKEN}')).toBe('Bearer ${secret:shop.token}, abc')
  })

  test('and all other text are read from an export as they were written to it', () => {
    const part = fc.constantFrom('$', '{', '}', 'file:', '${', '${secret:a-b}', '${secret:', ':-', 'TOKEN', 'x', ' ')
    const text = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''))
    fc.assert(fc.property(text, (each) => read(escapeReferences(each)) === each))
  })
})

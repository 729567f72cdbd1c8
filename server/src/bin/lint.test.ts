import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createLintCommand } from './lint.ts'

function inFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-lint-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function lint(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const written = { out: '', err: '' }
  let code = -1
  const surroundings = {
    environment: {},
    write: (text: string) => void (written.out += text),
    writeError: (text: string) => void (written.err += text),
    readSecret: () => Promise.resolve(''),
  }
  await createLintCommand(surroundings, (given) => void (code = given)).parseAsync([...args], { from: 'user' })
  return { code, ...written }
}

const document = (operation: string): string =>
  ['openapi: 3.1.0', 'info: { title: Books, version: "1" }', 'paths:', '  /books:', `    get: ${operation}`, ''].join(
    '\n',
  )
const ruleset = `rules:
  has-summary: { given: "$.paths[*][*]", then: { field: summary, function: truthy }, severity: error }
`

test('fails with the place of what a ruleset asks for, and passes when it is there', async () => {
  const folder = inFolder({
    'a.yaml': document('{ operationId: a }'),
    'b.yaml': document('{ summary: b }'),
    r: ruleset,
  })
  const failed = await lint(join(folder, 'a.yaml'), '--ruleset', join(folder, 'r'))
  expect(failed.code).toBe(1)
  expect(failed.out).toContain(`${join(folder, 'a.yaml')}:5:10 error has-summary #/paths/~1books/get`)
  expect(await lint(join(folder, 'b.yaml'), '--ruleset', join(folder, 'r'))).toMatchObject({ code: 0, err: '' })
  expect(await lint(join(folder, 'a.yaml'), '--ruleset', join(folder, 'r'), '--refuse-at', 'off')).toMatchObject({
    code: 0,
  })
})

test('tells programs and GitHub the same', async () => {
  const folder = inFolder({ 'a.yaml': document('{ operationId: a }'), r: ruleset })
  const { out } = await lint(join(folder, 'a.yaml'), '--ruleset', join(folder, 'r'), '--json')
  expect(JSON.parse(out)).toMatchObject({ refused: true, findings: [{ rule: 'has-summary', line: 5 }] })
  const github = await lint(join(folder, 'a.yaml'), '--ruleset', join(folder, 'r'), '--format', 'github')
  expect(github.out).toMatch(/^::error file=.+,line=5,col=10,title=has-summary::#\/paths/)
})

test('fails when callers of an earlier document would break', async () => {
  const before = document('{ parameters: [{ in: query, name: q }] }')
  const folder = inFolder({ 'a.yaml': document('{}'), 'old.yaml': before })
  const { code, out } = await lint(join(folder, 'a.yaml'), '--against', join(folder, 'old.yaml'))
  expect(code).toBe(1)
  expect(out).toContain('breaking parameter.removed')
})

test('says rule and remedy of a document that cannot be imported, and of a ruleset that cannot be used', async () => {
  const folder = inFolder({
    'a.yaml': 'openapi: 9',
    'b.yaml': document('{}'),
    r: 'rules: { x: { given: "$", then: { function: nope } } }',
  })
  const refused = await lint(join(folder, 'a.yaml'))
  expect(refused.code).toBe(1)
  expect(refused.err).toContain('document.version')
  expect(await lint(join(folder, 'b.yaml'), '--ruleset', join(folder, 'r'))).toMatchObject({ code: 1, out: '' })
})

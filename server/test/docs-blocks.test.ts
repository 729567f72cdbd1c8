import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createCertificate } from './certificates.ts'
import { readBlocks, readPages, repository, type Block } from './docs-files.ts'

const scratch = mkdtempSync(join(tmpdir(), 'headgate-docs-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const blocks = readPages().flatMap(readBlocks)
const documents = blocks.filter(({ mark, text }) => /^ya?ml/.test(mark) && /^headgate: 1$/m.test(text))
const commands = blocks.filter(({ mark }) => mark === 'sh tested')
const launcher = join(repository, 'server/bin/headgate.js')

/** A folder with the files of the example, so that a document may name its OpenAPI document, and certificates. */
function createFolder(name: string): string {
  const folder = join(scratch, name)
  cpSync(join(repository, 'examples/bookshop'), folder, { recursive: true })
  mkdirSync(join(folder, 'tls'))
  for (const each of ['shop', 'partners']) {
    const { cert, key } = createCertificate(each, { names: [`${each}.example.com`, `*.${each}.example.com`] })
    writeFileSync(join(folder, `tls/${each}.crt`), cert)
    writeFileSync(join(folder, `tls/${each}.key`), key)
  }
  return folder
}

/** A value for every secret that a document refers to. */
function createEnvironment(text: string): NodeJS.ProcessEnv {
  const names = [...text.matchAll(/\$\{(\w+)\}/g)].map((match) => match[1] ?? '')
  return { ...process.env, ...Object.fromEntries(names.map((name) => [name, `value-of-${name.toLowerCase()}`])) }
}

/** What a gateway by itself refuses, since it could do nothing with it. */
const isForControl = (text: string): boolean => /^webhooks:|\$\{secret:/m.test(text)

const place = ({ path, line }: Block): string => `${path}:${line}`

describe('configurations in the docs', () => {
  test.each(documents.map((block) => ({ place: place(block), block })))(
    '$place is accepted by validate',
    ({ block }) => {
      const file = join(createFolder(`document-${place(block).replaceAll(/\W/g, '-')}`), 'headgate.yaml')
      writeFileSync(file, block.text)
      const reader = isForControl(block.text) ? 'control' : 'gateway'
      const run = spawnSync(process.execPath, [launcher, 'validate', '--for', reader, file], {
        encoding: 'utf8',
        env: createEnvironment(block.text),
      })
      expect(run.status, `${run.stdout}${run.stderr}`).toBe(0)
    },
  )

  test('exist', () => expect(documents.length).toBeGreaterThan(0))
})

describe('commands in the docs that are marked as tested', () => {
  test.each(commands.map((block) => ({ place: place(block), block })))('$place runs', ({ block }) => {
    const path = [dirname(process.execPath), join(repository, 'node_modules/.bin'), process.env['PATH']].join(delimiter)
    const env = { ...createEnvironment(block.text), PATH: path, ACME_KEY: 'acme-demo-key' }
    const run = spawnSync('sh', ['-euc', block.text], { cwd: repository, encoding: 'utf8', env })
    expect(run.status, `${run.stdout}${run.stderr}`).toBe(0)
  })

  test('exist', () => expect(commands.length).toBeGreaterThan(0))
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { createCertificate } from '../../test/certificates.ts'
import { ADMIN_TOKEN, testControl, type TestControl } from '../../test/test-control.ts'
import { listenForControl } from '../control/server.ts'

const program = join(import.meta.dirname, 'headgate.ts')
const example = join(import.meta.dirname, '../../../examples/bookshop')

interface Ran {
  readonly code: unknown
  readonly out: string
  readonly err: string
}

interface CommandLine {
  readonly folder: string
  readonly done: TestControl['done']
  readonly run: (args: readonly string[], more?: { readonly input?: string; readonly token?: string }) => Promise<Ran>
}

/** A control plane on a real socket, and the real program that talks to it. */
async function commandLine(): Promise<CommandLine> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-commands-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const { app, done } = await testControl()
  const server = await listenForControl(app, '127.0.0.1', 0)
  onTestFinished(() => server.close())
  return {
    folder,
    done,
    async run(args, { input = '', token = ADMIN_TOKEN } = {}) {
      const env = {
        ...process.env,
        ACME_KEY: 'a-key-of-acme',
        HEADGATE_URL: `http://127.0.0.1:${server.port}`,
        HEADGATE_CREDENTIALS_FILE: join(folder, 'credentials.json'),
        ...(token === '' ? {} : { HEADGATE_TOKEN: token }),
      }
      const child = spawn(process.execPath, [program, ...args], { env, stdio: 'pipe' })
      child.stdin.end(input)
      const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
      return { code, out, err }
    },
  }
}

test('diff tells what apply does, with 3 as long as something would change', async () => {
  const { run } = await commandLine()
  const before = await run(['diff', '-f', join(example, 'headgate.yaml')])
  expect(before).toMatchObject({ code: 3, err: '' })
  expect(before.out).toContain('+ version books 1.0.0')
  expect(await run(['apply', '-f', join(example, 'headgate.yaml')])).toMatchObject({ code: 0, err: '' })
  expect(await run(['diff', '-f', join(example, 'headgate.yaml')])).toMatchObject({
    code: 0,
    out: 'production says all of this already.\n',
  })
}, 30_000)

test('apply says which key of the files stays revoked, though nothing changes', async () => {
  const { run, done } = await commandLine()
  await run(['apply', '-f', join(example, 'headgate.yaml')])
  await done('POST', '/workspaces/default/consumers/acme/credentials/key-1/revoke?environment=production')
  const again = await run(['apply', '-f', join(example, 'headgate.yaml')])
  expect(again).toMatchObject({ code: 0, err: '' })
  expect(again.out).toMatch(/^Nothing changes in production:\n +credential acme\/key-1: was revoked and stays so/)
}, 30_000)

test('an export to a directory is applied and exported to the same bytes', async () => {
  const { run, folder } = await commandLine()
  await run(['apply', '-f', join(example, 'headgate.yaml')])
  const first = join(folder, 'first')
  expect(await run(['export', '--directory', first])).toMatchObject({ code: 0 })
  const fresh = await commandLine()
  expect(await fresh.run(['apply', '-f', join(first, 'headgate.yaml')])).toMatchObject({ code: 0, err: '' })
  const second = join(folder, 'second')
  await fresh.run(['export', '--directory', second])
  for (const name of ['headgate.yaml', 'specs/books-1.0.0.yaml']) {
    expect(readFileSync(join(second, name), 'utf8')).toBe(readFileSync(join(first, name), 'utf8'))
  }
}, 30_000)

test('an export with secrets, and with text that looks like a reference, is applied as it was', async () => {
  const { run, folder, done } = await commandLine()
  const { cert, key } = createCertificate('a.test', { names: ['a.test'] })
  const respond = { kind: 'respond', config: { body: 'file:/etc/hosts costs ${HOME} $${x}' } }
  const document = {
    headgate: 1,
    upstreams: [
      { name: 'shop', targets: [{ url: 'http://127.0.0.1:1' }], headers: [{ name: 'x-key', value: 'a-secret' }] },
    ],
    apis: [{ name: 'books', routes: [{ name: 'all', match: { path: '/*' }, policies: [respond] }] }],
    certificates: [{ name: 'a', chain: cert, key }],
  }
  await done('POST', '/workspaces/default/apply', { document })
  const [first, second] = [join(folder, 'first'), join(folder, 'second')]
  expect(await run(['export', '--directory', first])).toMatchObject({ code: 0 })
  const file = join(first, 'headgate.yaml')
  expect(await run(['validate', '--for', 'control', file])).toMatchObject({ code: 0, err: '' })
  expect(await run(['diff', '-f', file])).toMatchObject({ code: 0, err: '' })
  expect(await run(['apply', '-f', file])).toMatchObject({ code: 0, err: '' })
  await run(['export', '--directory', second])
  const text = readFileSync(file, 'utf8')
  expect(readFileSync(join(second, 'headgate.yaml'), 'utf8')).toBe(text)
  expect(text).toContain('${secret:environments.production.certificates.a.key}')
  expect(text).not.toContain('PRIVATE')
  const alone = await run(['validate', file])
  expect([alone.code, alone.err]).toEqual([1, expect.stringContaining('is a secret of a control plane')])
}, 60_000)

test('says where a file is wrong, and that nothing was sent', async () => {
  const { run, folder } = await commandLine()
  const file = join(folder, 'wrong.yaml')
  writeFileSync(file, 'headgate: 1\nupstreams: [{ name: a, targets: [] }]\n')
  const { code, err } = await run(['apply', '-f', file])
  expect(code).toBe(1)
  expect(err).toContain('upstreams[0].targets')
}, 20_000)

test('login keeps a token that is right, for this user alone, and refuses a wrong one', async () => {
  const { run, folder } = await commandLine()
  const path = join(folder, 'credentials.json')
  writeFileSync(path, 'open to all', { mode: 0o644 })
  expect(await run(['login'], { input: 'a-wrong-token', token: '' })).toMatchObject({ code: 1 })
  expect(await run(['export'], { token: '' })).toMatchObject({ code: 1 })
  expect(await run(['login'], { input: `${ADMIN_TOKEN}\n`, token: '' })).toMatchObject({ code: 0 })
  expect(await run(['export'], { token: '' })).toMatchObject({ code: 0 })
  expect(readFileSync(path, 'utf8')).toContain('http')
  expect(statSync(path).mode & 0o777).toBe(0o600)
}, 30_000)

test('says what is wrong, and how to mend it: token, address, place and state', async () => {
  const { run } = await commandLine()
  const wrong = (args: readonly string[], more?: Parameters<typeof run>[1]) => run(args, more).then(({ err }) => err)
  expect(await wrong(['export'], { token: 'a-wrong-token' })).toMatch(
    /does not take this token: .* run: headgate login/,
  )
  expect(await wrong(['export', '--url', '127.0.0.1:8081'])).toContain('Write it as http://127.0.0.1:8081.')
  expect(await wrong(['export', '--url', 'http://127.0.0.1:1'])).toContain('--url or HEADGATE_URL')
  expect(await wrong(['import', 'openapi', join(example, 'books.openapi.yaml')])).toMatch(
    /^Invalid input\n {2}\/upstreamUrl: The document names no server .* --upstream\.\n$/,
  )
  await run(['apply', '-f', join(example, 'headgate.yaml')])
  await run(['deploy', 'books', '1.0.0', '--canary', '10'])
  expect(await wrong(['deploy', 'books', '1.0.0'])).toMatch(
    /^A canary is in progress: It is deployment_\w+\.\nPromote the canary or abort it first; each is one call\.\n$/,
  )
}, 30_000)

test('deploy and rollback say what is live', async () => {
  const { run } = await commandLine()
  await run(['apply', '-f', join(example, 'headgate.yaml')])
  const deployed = await run(['deploy', 'books', '1.0.0', '--json'])
  expect(deployed.code).toBe(0)
  const id = /deployment_[0-9a-f]+/.exec(deployed.out)?.[0] ?? ''
  const back = await run(['rollback', id, '--reason', 'a test'])
  expect(back).toMatchObject({ code: 0, err: '' })
  expect(back.out).toContain('books 1.0.0 revision 1 is active in production')
}, 30_000)

test('import openapi publishes an API in one command, and only checks it without --publish', async () => {
  const { run } = await commandLine()
  const document = join(example, 'books.openapi.yaml')
  const args = ['import', 'openapi', document, '--upstream', 'http://127.0.0.1:9001']
  const checked = await run(args)
  expect(checked).toMatchObject({ code: 0, err: '' })
  expect(checked.out).toContain('Would publish')
  expect((await run(['export'])).out).not.toContain('openapi.yaml')
  const published = await run([...args, '--publish'])
  expect(published).toMatchObject({ code: 0, err: '' })
  expect(published.out).toMatch(/^Published .* with 6 routes under .* in production\.\nKey of .*: hg_key_/)
  expect((await run(['export'])).out).toContain('kind: key-auth')
}, 30_000)

test('a canary is deployed, promoted, tried and aborted from the command line', async () => {
  const { run } = await commandLine()
  await run(['apply', '-f', join(example, 'headgate.yaml')])
  const canary = ['deploy', 'books', '1.0.0', '--canary', '10,50,100', '--pause', '60s']
  const first = await run([...canary, '--json'])
  const { id, plan } = JSON.parse(first.out)
  const listed = (await run(['deployments'])).out.split('\n')
  expect(listed).toEqual([
    expect.stringMatching(/^production  books 1\.0\.0  revision 1  active {12}deployment_\w+$/),
    `production  books 1.0.0  revision 1  progressing 10 %  ${id}`,
    '',
  ])
  expect((await run(['deployments', '--environment', 'production', '--state', 'aborted'])).out).toBe(
    'There are none.\n',
  )
  expect(plan.steps).toEqual([
    { percent: 10, pauseSeconds: 60 },
    { percent: 50, pauseSeconds: 60 },
  ])
  expect((await run(['promote', id, '--percent', '50'])).out).toContain('is progressing')
  expect((await run(['preview', id])).out).toMatch(/^x-headgate-preview: hg_preview_\S+\n$/)
  expect((await run(['abort', id])).out).toContain('is aborted')
  expect((await run(['deploy', 'books', '1.0.0', '--canary', '0'])).code).toBe(2)
}, 30_000)

/** Runs the commands of the pipelines as they stand in their files, against a control plane that really serves. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { listenForControl } from '../../server/src/control/server.ts'
import { ADMIN_TOKEN, testControl } from '../../server/test/test-control.ts'

const bookshop = join(import.meta.dirname, '../bookshop')
const program = join(import.meta.dirname, '../../server/src/bin/headgate.ts')
const INSTALL = 'npm install --global headgate'

const github = z.looseObject({
  jobs: z.record(z.string(), z.looseObject({ steps: z.array(z.looseObject({ run: z.string().optional() })) })),
})
const gitlabJob = z.looseObject({ script: z.array(z.string()) })

function readExample(name: string): string {
  return readFileSync(join(import.meta.dirname, name), 'utf8')
}

/** The commands of a pipeline in its order. */
const pipelines: Readonly<Record<string, () => string[]>> = {
  'github-actions.yaml': () =>
    Object.values(github.parse(parse(readExample('github-actions.yaml'))).jobs).flatMap(({ steps }) =>
      steps.flatMap(({ run }) => (run === undefined ? [] : [run])),
    ),
  'gitlab-ci.yaml': () => {
    const file: unknown = parse(readExample('gitlab-ci.yaml'))
    const jobs = Object.values(z.record(z.string(), z.unknown()).parse(file)).map((job) => gitlabJob.safeParse(job))
    return [INSTALL, ...jobs.flatMap(({ data }) => data?.script ?? [])]
  },
  Jenkinsfile: () => [...readExample('Jenkinsfile').matchAll(/^\s*sh '(.+)'$/gm)].map(([, line = '']) => line),
}

test.each(Object.entries(pipelines))(
  '%s brings a change from the check to production',
  async (_, read) => {
    const commands = read()
    expect(commands[0]).toBe(INSTALL)
    const { app, done, control } = await testControl()
    const server = await listenForControl(app, '127.0.0.1', 0)
    onTestFinished(() => server.close())
    await done('POST', '/environments', { name: 'staging' })
    const folder = makeRepository()
    const environment = {
      ...process.env,
      PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`,
      HEADGATE_URL: `http://127.0.0.1:${server.port}`,
      HEADGATE_TOKEN: ADMIN_TOKEN,
      ACME_KEY: 'a-key-of-acme',
      ACME_PRODUCTION_KEY: 'another-key-of-acme',
      GITHUB_STEP_SUMMARY: join(folder, 'summary.md'),
    }
    for (const command of commands.filter((line) => line !== INSTALL)) {
      const child = spawn('sh', ['-ec', command], { cwd: folder, env: environment, stdio: 'pipe' })
      const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
      expect([command, code, out + (code === 0 ? '' : err)]).toEqual([command, 0, expect.any(String)])
    }
    for (const name of ['staging', 'production']) {
      await expect.poll(() => control.feed.treeOf(name)?.get('routes/books/1.0.0/list')).toContain('"books"')
      expect(control.feed.treeOf(name)?.get('consumers/acme')).toContain('acme')
    }
  },
  60_000,
)

/** The bookshop as a repository of its own, and the command as an installation puts it into the path. */
function makeRepository(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-pipeline-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['headgate.yaml', 'books.openapi.yaml']) copyFileSync(join(bookshop, name), join(folder, name))
  copyFileSync(join(import.meta.dirname, 'production.yaml'), join(folder, 'production.yaml'))
  writeFileSync(join(folder, 'headgate'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`)
  chmodSync(join(folder, 'headgate'), 0o755)
  return folder
}

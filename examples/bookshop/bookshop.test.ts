import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { findFreePorts, holdPort } from '../../server/test/ports.ts'

const program = join(import.meta.dirname, '../../server/src/bin/headgate.ts')
const folder = mkdtempSync(join(tmpdir(), 'headgate-example-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const running = new Set<ChildProcess>()

afterEach(async () => {
  for (const child of running) {
    const gone = once(child, 'exit')
    if (child.kill('SIGTERM')) await gone
  }
  running.clear()
})

interface Example {
  child: ChildProcess
  gateway: string
  backend: string
  printed: string
}

/** An installation of its own for each start. */
function settingsOf(port = 0, gatewayPort = 0, metricsPort = 0): NodeJS.ProcessEnv {
  return {
    ...process.env,
    HEADGATE_DATA_DIR: mkdtempSync(join(folder, 'data-')),
    HEADGATE_NODE_KEY_FILE: join(folder, 'node.key'),
    HEADGATE_DEMO_PORT: `${port}`,
    HEADGATE_GATEWAY_PORT: `${gatewayPort}`,
    HEADGATE_METRICS_PORT: `${metricsPort}`,
    HEADGATE_CONTROL_PORT: '0',
    HEADGATE_WORKERS: '1',
  }
}

async function startExample(): Promise<Example> {
  const [port, gatewayPort, metricsPort] = await findFreePorts(3)
  const env = settingsOf(port, gatewayPort, metricsPort)
  const child = spawn(process.execPath, [program, 'start'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let printed = ''
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      printed += chunk.toString()
      if (printed.includes('Ctrl-C')) resolve()
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', (code) => reject(new Error(`the example ended with ${code}: ${printed}`)))
  })
  return { child, gateway: `http://127.0.0.1:${gatewayPort}`, backend: `http://127.0.0.1:${port}`, printed }
}

describe('npm start', () => {
  test('runs the bookshop behind the gateway, and what it prints to try is true', async () => {
    const { child, gateway, printed } = await startExample()
    const key = /x-api-key: ([^']+)'/.exec(printed)?.[1] ?? ''
    expect(printed).toContain(`curl -i ${gateway}/bookshop/books`)

    const refused = await fetch(`${gateway}/bookshop/books`)
    expect(refused.status).toBe(401)
    expect(refused.headers.get('content-type')).toBe('application/problem+json')

    const answered = await fetch(`${gateway}/bookshop/books`, { headers: { 'x-api-key': key } })
    expect(answered.status).toBe(200)
    expect(await answered.json()).toMatchObject({ books: [{ title: 'Middlemarch' }, {}, {}] })

    const statuses: number[] = []
    for (let count = 0; count < 6; count++) {
      const bulk = await fetch(`${gateway}/bookshop/books?bulk=1`, { headers: { 'x-api-key': key } })
      await bulk.arrayBuffer()
      statuses.push(bulk.status)
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429])

    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    expect(await gone).toEqual([0, null])
    await expect(fetch(gateway)).rejects.toThrow('fetch failed')
  })

  test('streams the events of the bookshop as they come', async () => {
    const { gateway, backend, printed } = await startExample()
    const headers = { 'x-api-key': /x-api-key: ([^']+)'/.exec(printed)?.[1] ?? '' }
    const events = await fetch(`${gateway}/bookshop/books/events`, { headers })
    const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader?.read())?.value).toContain('event: count')

    const book = { title: 'Kindred', author: 'Octavia E. Butler', year: 1979 }
    const created = await fetch(`${backend}/books`, { method: 'POST', body: JSON.stringify(book) })
    expect(created.status).toBe(201)
    expect((await reader?.read())?.value).toContain('Kindred')
    await reader?.cancel()
  })

  test('says which port is taken and how to choose another', async () => {
    const { server: holder, port: taken } = await holdPort()
    const [gatewayPort, metricsPort] = await findFreePorts(2)
    const env = settingsOf(taken, gatewayPort, metricsPort)
    const child = spawn(process.execPath, [program, 'start'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    let errors = ''
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    const [code] = await once(child, 'close')
    holder.close()
    expect(code).toBe(1)
    expect(errors).toBe(`Port ${taken} is taken. Free it, or set HEADGATE_DEMO_PORT to another one.\n`)
  })
})

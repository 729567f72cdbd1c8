/** How a gateway process starts, stops and says why it does not: exit codes and drain. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { stringify } from 'yaml'
import { findFreePorts, holdPort } from '../ports.ts'
import { dial } from '../wire/wire.ts'
import { get, GatewayChild, startBackend, startGateway, toDocument, until } from './gateway-child.ts'

const slow = { timeout: 30_000 }

test('a gateway that is told to stop finishes what it has, in order', slow, async () => {
  let finish: (() => void) | undefined
  const url = await startBackend((request, response) => {
    if (request.url === '/slow') finish = () => response.end('finished')
    else response.end('ok')
  })
  const gateway = await startGateway({
    document: toDocument(url, { gateway: { drain: { delaySeconds: 1, timeoutSeconds: 20 } } }),
  })
  expect((await get(gateway.metricsPort, '/readyz')).status).toBe(200)
  const [kept, pending] = [await dial(gateway.port), await dial(gateway.port)]
  expect((await kept.get('/')).fields['connection']).toBeUndefined()
  pending.send('GET /slow HTTP/1.1\r\nhost: a.test\r\n\r\n')
  await until(() => finish !== undefined)

  gateway.process.kill('SIGTERM')
  await until(async () => (await get(gateway.metricsPort, '/readyz')).status === 503)
  // Balancers have not noticed yet: the gateway serves as before.
  expect((await get(gateway.port)).status).toBe(200)
  expect((await get(gateway.metricsPort, '/healthz')).status).toBe(200)

  // Then answers tell clients to go; the connection ends behind one.
  let answer = await kept.get('/')
  while (answer.fields['connection'] === undefined) answer = await kept.get('/')
  expect([answer.status, answer.fields['connection']]).toEqual([200, 'close'])
  expect(await kept.ended).toBe('closed')

  await until(async () => (await get(gateway.port)).status === 0)
  finish?.()
  expect(await pending.message()).toMatchObject({ status: 200, body: 'finished', fields: { connection: 'close' } })
  expect(await gateway.exited).toBe(0)
  await until(() => gateway.output.includes('"path":"/slow"'))
})

test('a gateway that waits for its first snapshot from control ends when it is told to', slow, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-stop-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const identity = { id: 'one', environment: 'production', token: 'any', publicKey: 'any' }
  writeFileSync(join(folder, 'node-identity.json'), JSON.stringify(identity))
  const [port] = await findFreePorts(1)
  const way = ['--control-url', `http://127.0.0.1:${port}`, '--data-dir', folder]
  const own = ['--node-key-file', join(folder, 'node.key'), '--gateway-port', '0', '--metrics-port', '0']
  const gateway = new GatewayChild({ command: ['gateway', ...way, ...own] })
  await gateway.event('the control plane cannot be asked; what is running goes on')
  gateway.process.kill('SIGTERM')
  expect(await gateway.exited).toBe(0)
})

test('requests that do not finish within the time are broken off, and the process ends', slow, async () => {
  let asked = false
  const url = await startBackend(() => (asked = true))
  const gateway = await startGateway({ document: toDocument(url, { gateway: { drain: { timeoutSeconds: 0.5 } } }) })
  const pending = await dial(gateway.port)
  pending.send('GET / HTTP/1.1\r\nhost: a.test\r\n\r\n')
  await until(() => asked)
  gateway.process.kill('SIGINT')
  await pending.ended
  expect(pending.unread).toBe('')
  expect(await gateway.exited).toBe(0)
  await until(() => gateway.output.includes('"status":499'))
})

test('a second signal ends the process at once', slow, async () => {
  let asked = false
  const url = await startBackend(() => (asked = true))
  const gateway = await startGateway({ document: toDocument(url) })
  const pending = connect(gateway.port, '127.0.0.1')
  pending.on('error', () => undefined)
  pending.write('GET / HTTP/1.1\r\nhost: a.test\r\n\r\n')
  await until(() => asked)
  gateway.process.kill('SIGTERM')
  await until(async () => (await get(gateway.metricsPort, '/readyz')).status !== 200)
  gateway.process.kill('SIGTERM')
  expect(await gateway.exited).toBe(1)
})

test('a port that is taken is said in one sentence, whichever it is, and nothing stays open', slow, async () => {
  const url = await startBackend()
  const { server, port } = await holdPort()
  for (const flag of ['--gateway-port', '--metrics-port']) {
    const gateway = new GatewayChild({ document: toDocument(url), flags: [flag, String(port)] })
    expect(await gateway.exited).toBe(1)
    expect(gateway.errors).toContain(`Port ${port} is taken. Stop what listens there, or choose another port.\n`)
  }
  server.close()
})

test('the port of another gateway is taken too, though workers share theirs', slow, async () => {
  const url = await startBackend()
  const first = await startGateway({ document: toDocument(url) })
  const second = new GatewayChild({ document: toDocument(url), flags: ['--gateway-port', String(first.port)] })
  expect(await second.exited).toBe(1)
  expect(second.errors).toContain(`Port ${first.port} is taken. Stop what listens there, or choose another port.\n`)
})

test('settings that are wrong end the start with what to write', slow, async () => {
  const url = await startBackend()
  const wrong: Record<string, [flags: string[], sentence: RegExp]> = {
    workers: [['--workers', '0'], /^--workers is wrong: /m],
    port: [['--gateway-port', 'http'], /^--gateway-port is wrong: /m],
    level: [['--log-level', 'loud'], /^--log-level is wrong: /m],
    flag: [['--colour', 'red'], /unknown option '--colour'/],
    settings: [['--settings', '/nowhere.yaml'], /^The settings file \/nowhere\.yaml cannot be read: /m],
  }
  const started = Object.values(wrong).map(async ([flags, sentence]) => {
    const gateway = new GatewayChild({ document: toDocument(url), flags })
    expect(await gateway.exited).toBe(2)
    expect(gateway.errors).toMatch(sentence)
  })
  await Promise.all(started)
})

test('where the machine has no IPv6, all addresses are those of IPv4', slow, async () => {
  const url = await startBackend()
  const withoutIpv6 = join(import.meta.dirname, 'without-ipv6.ts')
  const gateway = await startGateway({
    document: toDocument(url),
    flags: ['--bind', '::'],
    nodeFlags: ['--import', withoutIpv6],
  })
  expect((await get(gateway.port)).status).toBe(200)
})

test('a gateway that npm started ends when npm and the shell between the two are gone', slow, async () => {
  const url = await startBackend()
  const folder = mkdtempSync(join(tmpdir(), 'headgate-npm-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const config = join(folder, 'headgate.yaml')
  writeFileSync(config, stringify(toDocument(url)))
  const command = join(import.meta.dirname, '../../bin/headgate.js')
  const ports = ['--gateway-port', '0', '--metrics-port', '0', '--bind', '127.0.0.1']
  const own = ['gateway', '--config', config, '--data-dir', folder, '--workers', '1', ...ports]
  const shell = spawn('sh', ['-c', '"$0" "$@" & wait', process.execPath, command, ...own], {
    env: { ...process.env, npm_lifecycle_event: 'npx' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let events = ''
  shell.stderr.on('data', (text) => (events += String(text)))
  await until(() => events.includes('the gateway is ready'))
  shell.kill('SIGKILL')
  // The pipe ends with the last process that writes into it.
  await once(shell.stderr, 'close')
  expect(events).not.toContain('"level":50')
})

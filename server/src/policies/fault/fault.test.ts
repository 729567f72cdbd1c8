import { connect } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Problem } from '../../kernel/problem.ts'
import { testExchange } from '../../../test/test-exchange.ts'
import { testGateway } from '../../../test/test-gateway.ts'
import { checkPolicy, runPolicy, setupPolicy, testServices, type PolicyRun } from '../../../test/test-services.ts'
import { fault } from './fault.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

/** Runs the policy with the numbers that chance gives, one after the other. */
function run(config: unknown, chances: readonly number[]): Promise<PolicyRun> {
  const left = [...chances]
  const random = (): number => {
    const next = left.shift()
    if (next === undefined) throw new Error('This test expects no further chance')
    return next
  }
  return runPolicy(fault, config, testExchange(), { services: testServices({ random }) })
}

test('the share of the requests that chance picks is answered with the status', async () => {
  const { reply } = await run({ abort: { status: 418, percent: 25 } }, [0.2499])
  expect(reply.status).toBe(418)
  expect(JSON.parse(String(Buffer.from(reply.body instanceof Uint8Array ? reply.body : [])))).toMatchObject({
    code: 'fault.injected',
    status: 418,
  })
})

test('the others pass', async () => {
  const { answer } = await run({ abort: { status: 418, percent: 25 } }, [0.25])
  expect(answer).toBeUndefined()
})

test('a hundred percent leaves none out', async () => {
  const { answer } = await run({ abort: {} }, [0.999999999])
  expect(answer instanceof Problem && answer.definition.status).toBe(503)
})

test('a reset asks for the connection to be broken off', async () => {
  const { answer } = await run({ abort: { status: 'reset' } }, [0])
  expect(answer instanceof Problem && answer.definition.resetsConnection).toBe(true)
})

test('a delayed request waits its time and then passes', async () => {
  let passed = false
  const running = run({ delay: { milliseconds: 200 } }, [0, 0]).then(({ answer }) => {
    passed = true
    return answer
  })
  await vi.advanceTimersByTimeAsync(199)
  expect(passed).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(await running).toBeUndefined()
})

test('a random delay lies between the two numbers', async () => {
  let passed = false
  void run({ delay: { milliseconds: 100, upToMilliseconds: 300 } }, [0, 0.5]).then(() => {
    passed = true
  })
  await vi.advanceTimersByTimeAsync(199)
  expect(passed).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(passed).toBe(true)
})

test('what chance does not delay is aborted at once, and a delayed request is aborted afterwards', async () => {
  const config = { delay: { milliseconds: 100, percent: 50 }, abort: { status: 500, percent: 50 } }
  expect((await run(config, [0.5, 0.1])).reply.status).toBe(500)
  const delayed = run(config, [0.1, 0, 0.1])
  await vi.advanceTimersByTimeAsync(100)
  expect((await delayed).reply.status).toBe(500)
})

test('a client that leaves takes its delay with it', async () => {
  const instance = setupPolicy(fault, { delay: { milliseconds: 60_000 } }, testServices())
  const exchange = testExchange()
  const answer = instance.request?.(exchange)
  expect(answer).toBeInstanceOf(Promise)
  expect(vi.getTimerCount()).toBe(1)
  instance.close?.(exchange)
  expect(vi.getTimerCount()).toBe(0)
  expect(await answer).toBeUndefined()
})

test.each([
  [{}, ': breaks nothing'],
  [{ delay: { milliseconds: 0 } }, 'delay.milliseconds: has no effect'],
  [{ delay: { milliseconds: 200, upToMilliseconds: 200 } }, 'delay.upToMilliseconds: must be more'],
  [{ delay: { milliseconds: 60_001 } }, 'delay.milliseconds: '],
  [{ abort: { percent: 0 } }, 'abort.percent: '],
  [{ abort: { status: 200 } }, 'abort.status: '],
])('%j is refused', (config, message) => {
  const found = checkPolicy(fault, config)
  expect(found).toHaveLength(1)
  expect(found[0]).toContain(message)
})

test.each(fault.examples)('example: $title', async ({ config }) => {
  expect(checkPolicy(fault, config)).toEqual([])
  expect((await run(config, [0.9999, 0.9999])).answer).toBeUndefined()
})

test('through a gateway: an abort answers, a reset breaks off and both are recorded', async () => {
  vi.useRealTimers()
  const when = (name: string): string => `request.path == '/${name}'`
  const gateway = await testGateway({
    policies: [
      { kind: 'fault', when: when('abort'), config: { abort: { status: 502 } } },
      { kind: 'fault', when: when('reset'), config: { abort: { status: 'reset' } } },
      { kind: 'fault', when: when('slow'), config: { delay: { milliseconds: 1 } } },
    ],
  })
  expect(await gateway.inject('GET /abort')).toMatchObject({ status: 502 })
  await expect(gateway.inject('GET /reset')).rejects.toThrow('ECONNRESET')
  expect(await gateway.inject('GET /slow')).toMatchObject({ status: 200 })
  const records = await gateway.recorded(3)
  expect(records.map(({ problem }) => problem)).toEqual(['fault.injected', 'fault.connection_reset', ''])
  expect(gateway.seen).toHaveLength(1)
})

test('through a gateway: a client that leaves during its delay is recorded at once', async () => {
  vi.useRealTimers()
  const when = "request.path == '/slow'"
  const gateway = await testGateway({
    policies: [{ kind: 'fault', when, config: { delay: { milliseconds: 60_000 } } }],
  })
  const client = connect(gateway.port, '127.0.0.1')
  await new Promise<void>((resolve) => client.write('GET /slow HTTP/1.1\r\nhost: a\r\n\r\n', () => resolve()))
  // The thread reads what came first before it answers what comes later.
  await gateway.inject('GET /')
  client.destroy()
  const records = await gateway.recorded(2)
  expect(records.map(({ path, status }) => [path, status])).toEqual([
    ['/', 200],
    ['/slow', 499],
  ])
})

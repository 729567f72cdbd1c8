import { expect, test } from 'vitest'
import { testExchange } from '../../../test/test-exchange.ts'
import { testGateway } from '../../../test/test-gateway.ts'
import { checkPolicy, codeOf, runPolicy, testClock, testServices } from '../../../test/test-services.ts'
import { createReply } from '../../kernel/exchange.ts'
import { deprecation } from './deprecation.ts'

const announced = {
  deprecatedAt: '2026-03-01T00:00:00+01:00',
  sunsetAt: '2026-09-01T00:00:00Z',
  link: 'https://developer.example.com/v2',
  successor: '/v2',
}

function answered(config: object, nowMs?: number, ofUpstream: Record<string, string> = {}) {
  const services = testServices({ clock: testClock(nowMs) })
  return runPolicy(deprecation, config, testExchange(), { services, upstream: () => createReply(200, ofUpstream) })
}

test('every answer says since when, until when, and where to go', async () => {
  const { reply } = await answered(announced)
  expect(reply.fields.names.map((name, at) => `${name}: ${reply.fields.values[at]}`)).toEqual([
    'deprecation: @1772319600',
    'sunset: Tue, 01 Sep 2026 00:00:00 GMT',
    'link: <https://developer.example.com/v2>; rel="deprecation"',
    'link: <https://developer.example.com/v2>; rel="sunset"',
    'link: </v2>; rel="successor-version"',
  ])
})

test('only what is known is said', async () => {
  const only = async (config: object) => (await answered(config)).reply.fields.names
  expect(await only({ deprecatedAt: announced.deprecatedAt })).toEqual(['deprecation'])
  expect(await only({ sunsetAt: announced.sunsetAt, link: '/changes' })).toEqual(['sunset', 'link'])
})

test("an upstream's own dates give way, and its links stay", async () => {
  const { reply } = await answered(announced, undefined, { deprecation: 'true', sunset: 'soon', link: '</>; rel="up"' })
  expect([reply.fields.get('deprecation'), reply.fields.count('deprecation')]).toEqual(['@1772319600', 1])
  expect([reply.fields.get('link'), reply.fields.count('sunset'), reply.fields.count('link')]).toEqual([
    '</>; rel="up"',
    1,
    4,
  ])
})

test('requests pass until the sunset, and are refused from that instant on when that is wanted', async () => {
  const config = { ...announced, refuseAfterSunset: true }
  const sunsetMs = Date.parse(announced.sunsetAt)
  expect(codeOf(await answered(config, sunsetMs - 1))).toBeUndefined()
  const { answer, reply } = await answered(config, sunsetMs)
  expect(answer).toMatchObject({ definition: { code: 'deprecation.sunset_passed', status: 410 } })
  expect(reply.fields.joined('link')).toContain('</v2>; rel="successor-version"')
  expect(codeOf(await answered(announced, sunsetMs))).toBeUndefined()
})

test.each([
  [{}, 'announces nothing'],
  [{ link: '/v2' }, 'announces nothing'],
  [{ ...announced, sunsetAt: '2026-02-01T00:00:00Z' }, 'sunsetAt: must not be before'],
  [{ deprecatedAt: announced.deprecatedAt, refuseAfterSunset: true }, 'refuseAfterSunset: has no effect without'],
  [{ sunsetAt: '2026-02-30T00:00:00Z' }, 'sunsetAt: '],
  [{ sunsetAt: '2026-09-01' }, 'sunsetAt: '],
  [{ ...announced, link: 'https://example.com/>; rel="x' }, 'link: an address such as'],
  [{ ...announced, successor: 'v2' }, 'successor: an address such as'],
  [{ ...announced, successor: '/v2\r\nx: y' }, 'successor: an address such as'],
])('%j is refused', (config, message) => {
  const found = checkPolicy(deprecation, config)
  expect(found).toHaveLength(1)
  expect(found[0]).toContain(message)
})

test.each(deprecation.examples)('example: $title', ({ config }) => expect(checkPolicy(deprecation, config)).toEqual([]))

test('through a gateway: answers of the upstream and refusals of policies after it are marked alike', async () => {
  const closed = { kind: 'respond', when: "request.method == 'DELETE'", config: { status: 403 } }
  const gateway = await testGateway({ policies: [{ kind: 'deprecation', config: announced }, closed] })
  expect(await gateway.inject('GET /')).toMatchObject({ status: 200, headers: { deprecation: '@1772319600' } })
  expect(await gateway.inject('DELETE /')).toMatchObject({ status: 403, headers: { deprecation: '@1772319600' } })
})

test('a name that control would not take is told as one that it takes', () => {
  const called: string[] = []
  const services = testServices({ callers: { called: (_api, _version, consumer) => void called.push(consumer) } })
  const instance = deprecation.setup(deprecation.config.parse(announced), services)
  for (const id of ['https://issuer#a\0b', `#${'x'.repeat(198)}\u{1f600}`]) {
    instance.close?.(testExchange({ principal: { id, consumer: undefined } }))
  }
  expect(called).toEqual(['sub:https://issuer#ab', `sub:#${'x'.repeat(198)}\ufffd`])
})

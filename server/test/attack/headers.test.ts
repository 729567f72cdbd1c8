import { expect, test } from 'vitest'
import { signDebug } from '../../src/gateway/debug.ts'
import { testGateway } from '../test-gateway.ts'

test('a signature for debugging goes no further, also while every answer is debugged', async () => {
  const debugKey = 'a key for debugging'
  const gateway = await testGateway({ debug: true, document: { gateway: { debugKey } } })
  const signature = signDebug(debugKey, Math.floor(Date.now() / 1000) + 60, 'a')
  await gateway.inject('GET /', { headers: { host: 'a', 'x-headgate-debug': signature } })
  expect(gateway.seen[0]?.headers).not.toHaveProperty('x-headgate-debug')
})

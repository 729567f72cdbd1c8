import { expect, test } from 'vitest'
import type { Principal } from '../../kernel/principal.ts'
import { testExchange } from '../../../test/test-exchange.ts'
import { checkPolicy, codeOf, runPolicy, type PolicyRun } from '../../../test/test-services.ts'
import { access } from './access.ts'

const run = (
  config: unknown,
  principal: Partial<Principal>,
  parameters: Record<string, string> = {},
): Promise<PolicyRun> => runPolicy(access, config, testExchange({ principal, parameters }))
const passes = async (config: unknown, principal: Partial<Principal>): Promise<boolean> =>
  codeOf(await run(config, principal)) === undefined

test('a caller without any credential is asked for one', async () => {
  const { reply, answer } = await runPolicy(access, { anyRole: ['admin'], challenge: 'ApiKey' }, testExchange())
  expect(reply.status).toBe(401)
  expect(reply.fields.get('www-authenticate')).toBe('ApiKey')
  expect(answer).toMatchObject({ definition: { code: 'access.unauthenticated' } })
})

test('`allScopes` wants every scope and `anyScope` one', async () => {
  expect(await passes({ allScopes: ['a', 'b'] }, { scopes: ['b', 'c', 'a'] })).toBe(true)
  expect(await passes({ allScopes: ['a', 'b'] }, { scopes: ['a'] })).toBe(false)
  expect(await passes({ anyScope: ['a', 'b'] }, { scopes: ['b'] })).toBe(true)
  expect(await passes({ anyScope: ['a', 'b'] }, { scopes: ['ab', 'a b'] })).toBe(false)
})

test('whoever lacks a scope reads which to ask for', async () => {
  const { reply, answer } = await run({ allScopes: ['books:read', 'books:write'] }, { scopes: ['books:read'] })
  expect(reply.status).toBe(403)
  expect(reply.fields.get('www-authenticate')).toBe('Bearer error="insufficient_scope", scope="books:read books:write"')
  expect(answer).toMatchObject({ detail: 'The caller needs the scopes books:read books:write.' })
})

test('`allRoles` wants every role and `anyRole` one, and no answer names them', async () => {
  expect(await passes({ allRoles: ['a', 'b'] }, { roles: ['a', 'b'] })).toBe(true)
  expect(await passes({ anyRole: ['a', 'b'] }, { roles: ['b'] })).toBe(true)
  const { answer } = await run({ allRoles: ['a', 'secret-role'] }, { roles: ['a'] })
  expect(answer).toMatchObject({ definition: { code: 'access.denied', status: 403 } })
  expect(JSON.stringify(answer)).not.toContain('secret-role')
})

test('consumers are let in or kept out by name', async () => {
  expect(await passes({ consumers: ['acme'] }, { consumer: 'acme' })).toBe(true)
  expect(await passes({ consumers: ['acme'] }, { consumer: 'other' })).toBe(false)
  expect(await passes({ exceptConsumers: ['acme'] }, { consumer: 'acme' })).toBe(false)
  expect(await passes({ exceptConsumers: ['acme'] }, { consumer: 'other' })).toBe(true)
})

test('a principal of the same name that is no consumer is not taken for one', async () => {
  expect(await passes({ consumers: ['acme'] }, { id: 'acme', consumer: undefined })).toBe(false)
})

test('a condition sees the principal and the request', async () => {
  const config = { condition: 'principal.claims.tenant == request.parameters.tenant' }
  const principal = { claims: { tenant: 'a' } }
  expect(codeOf(await run(config, principal, { tenant: 'a' }))).toBeUndefined()
  expect(codeOf(await run(config, principal, { tenant: 'b' }))).toBe('access.denied')
})

test('a condition that cannot be told lets nobody in', async () => {
  await expect(run({ condition: 'int(request.query.level) > 3' }, {})).rejects.toThrow('int(request.query.level) > 3')
})

test('all rules have to hold', async () => {
  const config = { allScopes: ['a'], anyRole: ['admin'], exceptConsumers: ['acme'] }
  expect(await passes(config, { consumer: 'other', scopes: ['a'], roles: ['admin'] })).toBe(true)
  expect(await passes(config, { consumer: 'other', scopes: ['a'], roles: [] })).toBe(false)
  expect(await passes(config, { consumer: 'acme', scopes: ['a'], roles: ['admin'] })).toBe(false)
})

test('rules without effect and wrong conditions are refused', () => {
  expect(checkPolicy(access, {})).toEqual([': lets in every caller: give scopes, roles, consumers or a condition'])
  expect(checkPolicy(access, { consumers: ['a'], exceptConsumers: ['a', 'b'] })).toEqual([
    'exceptConsumers.0: a is in `consumers` too: leave it out there',
    'exceptConsumers.1: b has no effect: `consumers` does not have it',
  ])
  expect(checkPolicy(access, { condition: 'principal.name == 1' })[0]).toContain('condition: Unknown variable')
  expect(checkPolicy(access, { allScopes: ['a b'] })).not.toEqual([])
})

test.each(access.examples.map(({ title, config }) => [title, config]))('example: %s', async (_, config) => {
  expect(checkPolicy(access, config)).toEqual([])
  const claims = { tenant: '7' }
  const caller = { scopes: ['books:write'], roles: ['support'], claims }
  expect(codeOf(await run(config, caller, { tenant: '7' }))).toBeUndefined()
  expect(codeOf(await run(config, { claims }, { tenant: '8' }))).toMatch(/^access\./)
})

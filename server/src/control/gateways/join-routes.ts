/** How a gateway gets in: somebody who may makes a token for one gateway, that gateway trades it for its own identity. */
import { z } from 'zod'
import { joinAnswer, joinRequest } from '../../kernel/control-protocol.ts'
import { defineProblem } from '../../kernel/problem.ts'
import { defineRoute } from '../define-route.ts'
import { refuse } from '../control-error.ts'
import { toEnvironmentName } from '../environments/environment-names.ts'
import { toTime } from '../resources/resource-view.ts'
import { createSecretToken, hashToken } from '../tokens/secret-token.ts'
import { insertJoinToken } from './create-join-token.ts'

export const badJoinToken = defineProblem({
  code: 'gateway.bad_join_token',
  status: 401,
  title: 'The join token is not valid',
  blame: 'caller',
  remedy: 'Make a new one: it can be used once, and only for a while.',
})

export const createJoinTokenRoute = defineRoute({
  id: 'createJoinToken',
  method: 'POST',
  path: '/gateways/join-tokens',
  tag: 'gateways',
  summary: 'Makes a token with which one gateway can join.',
  permission: 'gateways.write',
  effect: 'create',
  body: z.strictObject({
    environment: z.string().max(100).optional(),
    minutes: z
      .int()
      .min(1)
      .max(7 * 24 * 60)
      .default(60)
      .meta({ description: 'How long it can be used.' }),
  }),
  output: z.strictObject({ token: z.string(), environment: z.string(), expiresAt: z.iso.datetime() }),
  async handle(call) {
    const { control, body } = call
    const environment = await toEnvironmentName(call.db, body.environment)
    return call.write(async (write) => {
      const { token, expiresAtMs } = await insertJoinToken(write.db, control.clock.now(), environment, body.minutes)
      write.note({ kind: 'join-token', id: hashToken(token).slice(0, 12), name: environment })
      return { status: 201, body: { token, environment, expiresAt: toTime(expiresAtMs) } }
    })
  },
})

export const joinGateway = defineRoute({
  id: 'joinGateway',
  method: 'POST',
  path: '/gateway/join',
  tag: 'gateways',
  summary: 'Gives a gateway its identity for a join token.',
  permission: { door: 'public' },
  effect: 'action',
  body: joinRequest.extend({ token: z.string().max(200) }),
  output: joinAnswer,
  problems: [badJoinToken],
  async handle(call) {
    const { control, body } = call
    const token = createSecretToken('node')
    return call.write(async (write) => {
      const nowMs = control.clock.now()
      const joined = await write.db
        .updateTable('join_tokens')
        .set({ used_at_ms: nowMs })
        .where('hash', '=', hashToken(body.token))
        .where('used_at_ms', 'is', null)
        .where('expires_at_ms', '>', nowMs)
        .returning('environment')
        .executeTakeFirst()
      if (joined === undefined) return refuse(badJoinToken())
      const id = control.newId('gateway')
      await write.db
        .insertInto('gateways')
        .values({
          id,
          name: body.name,
          environment: joined.environment,
          token_hash: hashToken(token),
          last_seen_at_ms: nowMs,
          report: '{}',
          revoked_at_ms: null,
          version: 1,
          created_at_ms: nowMs,
          updated_at_ms: nowMs,
        })
        .execute()
      write.note({ kind: 'gateway', id, name: body.name, after: { environment: joined.environment } })
      const { publicKey } = control.keys
      return { status: 201, body: { id, environment: joined.environment, token, publicKey } }
    })
  },
})

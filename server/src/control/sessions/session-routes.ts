/** The sessions of an account: which there are, and their end. */
import { z } from 'zod'
import { refuse } from '../control-error.ts'
import { defineRoute } from '../define-route.ts'
import { notFound } from '../problems.ts'
import { ownOrOther, ownSession, whoseToEnd } from '../users/own-or-other.ts'
import { getUser, toUserView, userView } from '../users/user-routes.ts'
import { toCsrfToken } from './check-origin.ts'
import { toCookie } from './cookies.ts'
import { sessionNeeded } from './session-problems.ts'
import { endSessions } from './session-store.ts'
import { sessionView, toSessionView } from './session-view.ts'

const signedIn = { door: 'signed-in' } as const

export const getCurrentSession = defineRoute({
  id: 'getCurrentSession',
  method: 'GET',
  path: '/sessions/current',
  tag: 'sessions',
  summary: 'Says who is signed in, what they may do where, and the token that writes need.',
  permission: signedIn,
  effect: 'read',
  output: z.strictObject({
    user: userView,
    session: sessionView,
    csrfToken: z.string(),
    needs: z.literal('totp').optional().meta({ description: 'What must be set up before anything else.' }),
    grants: z.array(z.strictObject({ workspaceId: z.string(), permissions: z.array(z.string()) })),
  }),
  async handle(call) {
    const { userId, session } = ownSession(call)
    const user = await getUser(call.db, userId)
    const row = await call.db.selectFrom('sessions').selectAll().where('hash', '=', session.hash).executeTakeFirst()
    if (row === undefined) return refuse(notFound())
    const grants = call.actor.grants.map(({ workspaceId, permissions }) => ({
      workspaceId,
      permissions: [...permissions].toSorted(),
    }))
    const body = { user: toUserView(user), session: toSessionView(row, session.hash), grants }
    const needs = session.needsTotp ? ({ needs: 'totp' } as const) : {}
    return { body: { ...body, ...needs, csrfToken: toCsrfToken(session.token) } }
  },
})

export const endCurrentSession = defineRoute({
  id: 'endCurrentSession',
  method: 'POST',
  path: '/sessions/current/end',
  tag: 'sessions',
  summary: 'Signs out.',
  permission: signedIn,
  effect: 'action',
  handle(call) {
    const { session } = ownSession(call)
    return call.write(async (write) => {
      await write.db.deleteFrom('sessions').where('hash', '=', session.hash).execute()
      write.note({ kind: 'session', id: session.id, name: call.actor.label })
      const cookie = toCookie('session', '', { publicUrl: call.control.publicUrl, maxAgeSeconds: 0 })
      return { status: 204, cookies: [cookie] }
    })
  },
})

export const listSessions = defineRoute({
  id: 'listSessions',
  method: 'GET',
  path: '/users/{id}/sessions',
  tag: 'sessions',
  summary: 'Lists the sessions of an account.',
  permission: signedIn,
  effect: 'read',
  params: z.strictObject({ id: z.string().max(100) }),
  output: z.strictObject({ items: z.array(sessionView) }),
  async handle(call) {
    const user = await getUser(call.db, ownOrOther(call, call.params.id))
    const rows = await call.db
      .selectFrom('sessions')
      .selectAll()
      .where('user_id', '=', user.id)
      .where('expires_at_ms', '>', call.control.clock.now())
      .orderBy('created_at_ms', 'desc')
      .limit(200)
      .execute()
    return { body: { items: rows.map((row) => toSessionView(row, call.actor.session?.hash)) } }
  },
})

export const revokeSession = defineRoute({
  id: 'revokeSession',
  method: 'POST',
  path: '/users/{id}/sessions/{session}/revoke',
  tag: 'sessions',
  summary: 'Ends one session of an account; `all` ends every one but the own.',
  permission: signedIn,
  effect: 'action',
  params: z.strictObject({ id: z.string().max(100), session: z.string().max(100) }),
  problems: [sessionNeeded],
  handle(call) {
    return call.write(async (write) => {
      const user = await getUser(write.db, await whoseToEnd(call, write.db, call.params.id))
      const { session } = call.params
      if (session === 'all') {
        await endSessions(write.db, user.id, call.actor.session?.hash)
      } else {
        const gone = await write.db
          .deleteFrom('sessions')
          .where('id', '=', session)
          .where('user_id', '=', user.id)
          .executeTakeFirst()
        if (gone.numDeletedRows !== 1n) refuse(notFound({ detail: 'There is no such session.' }))
      }
      write.note({ kind: 'session', id: session, name: user.email })
      return { status: 204 }
    })
  },
})

/** A session as lists show it. */
import { z } from 'zod'
import { toTime } from '../resources/resource-view.ts'
import type { Session } from './session-store.ts'

export const sessionView = z.strictObject({
  id: z.string(),
  userId: z.string(),
  method: z.string().meta({ description: 'How the account was proven.' }),
  address: z.string(),
  agent: z.string(),
  current: z.boolean().meta({ description: 'It is the one that asks.' }),
  createdAt: z.iso.datetime(),
  seenAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
})

export function toSessionView(row: Session, currentHash: string | undefined): z.input<typeof sessionView> {
  return {
    id: row.id,
    userId: row.user_id,
    method: row.method,
    address: row.address,
    agent: row.agent,
    current: row.hash === currentHash,
    createdAt: toTime(row.created_at_ms),
    seenAt: toTime(row.seen_at_ms),
    expiresAt: toTime(row.expires_at_ms),
  }
}

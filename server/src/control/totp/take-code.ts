/** Judges the second factor of an account, and uses it up. */
import { hash } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'
import type { UserTable } from '../../db/people-tables.ts'
import type { Tables } from '../../db/tables.ts'
import type { Control } from '../control.ts'
import { findStep } from './totp.ts'

type Account = Pick<Selectable<UserTable>, 'id' | 'totp' | 'totp_step'>

/** A secret whose first code was never seen is not in force: nobody is locked out by a QR code that they did not scan. */
const PENDING = '?'

export function hasTotp({ totp }: Pick<Account, 'totp'>): boolean {
  return totp !== '' && !totp.startsWith(PENDING)
}

export function sealTotp({ keys }: Control, userId: string, secret: string, isPending: boolean): string {
  return (isPending ? PENDING : '') + keys.seal(secret, aboutTotp(userId))
}

export function openTotp({ keys }: Control, { id, totp }: Account): string {
  return keys.open(totp.startsWith(PENDING) ? totp.slice(1) : totp, aboutTotp(id))
}

/** What a sealed secret belongs to. */
export function aboutTotp(userId: string): string {
  return `totp ${userId}`
}

export function isRecoveryCode(code: string): boolean {
  return !/^\d{6}$/.test(code)
}

export function hashRecoveryCode(code: string): string {
  return hash('sha256', `recovery ${code.toUpperCase().replaceAll(/[^A-Z2-7]/g, '')}`)
}

/** Whether the code was right; then it never is again. Belongs into the transaction of what it permits. */
export async function takeCode(db: Kysely<Tables>, control: Control, user: Account, code: string): Promise<boolean> {
  if (isRecoveryCode(code)) {
    const { numDeletedRows } = await db
      .deleteFrom('recovery_codes')
      .where('user_id', '=', user.id)
      .where('hash', '=', hashRecoveryCode(code))
      .executeTakeFirst()
    return numDeletedRows === 1n
  }
  const step = findStep(openTotp(control, user), code, control.clock.now(), user.totp_step)
  if (step === undefined) return false
  // Of two who send the same code at once, one finds it taken.
  const { numUpdatedRows } = await db
    .updateTable('users')
    .set({ totp_step: step })
    .where('id', '=', user.id)
    .where('totp_step', '<', step)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/**
 * What control believes of the totals that a gateway tells. A gateway that lies, or whose clock is wrong, may spoil what it
 * counts itself, but neither the sums of the others nor the store.
 */
import type { GatewayReport } from '../../kernel/control-protocol.ts'
import { maxQuota } from '../../kernel/quotas.ts'
import type { Control } from '../control.ts'

export type QuotaTotal = NonNullable<GatewayReport['quotas']>['totals'][number]

/** Above every limit, so it decides the same as more would; two thousand gateways add up to what a number holds exactly. */
export const MOST_COUNTED = 4 * maxQuota
/** Periods end at midnight somewhere, and clocks go wrong a little: as far ahead as one may begin. */
const AHEAD_MS = 86_400_000
/** A leap year, and the hour by which summer time may lengthen it. */
const LONGEST_PERIOD_MS = 366 * 86_400_000 + 3_600_000
/** Names that a gateway has at once, twice: those of periods that are over stay for a while. */
export const MOST_NAMES = 2 ** 19
/** How long a count of a gateway's rows is taken as true. */
const COUNTED_MS = 60_000

/** The totals of periods that can be, with no count above what any quota grants. */
export function toBelievable(totals: readonly QuotaTotal[], nowMs: number): QuotaTotal[] {
  return totals
    .filter(([, , startMs, endMs]) => {
      return endMs > startMs && endMs - startMs <= LONGEST_PERIOD_MS && startMs <= nowMs + AHEAD_MS
    })
    .map(([policy, key, startMs, endMs, count]) => [policy, key, startMs, endMs, Math.min(count, MOST_COUNTED)])
}

interface Room {
  /** Rows that it may add until they are counted again. */
  left: number
  readonly countedAtMs: number
}

const rooms = new WeakMap<Control, Map<string, Room>>()

/**
 * Whether the gateway has room for so many more names. Its rows are counted seldom: counting them with each report would
 * cost more than keeping what it tells. In between each total counts as a new name, also in a transaction that is run
 * again, which is too strict and never too lax.
 */
export async function takeRoom(
  control: Control,
  gateway: string,
  wanted: number,
  countRows: () => Promise<number>,
): Promise<boolean> {
  const nowMs = control.clock.now()
  const known = rooms.get(control) ?? new Map<string, Room>()
  rooms.set(control, known)
  let room = known.get(gateway)
  if (room === undefined || (room.left < wanted && nowMs - room.countedAtMs >= COUNTED_MS)) {
    room = { left: MOST_NAMES - (await countRows()), countedAtMs: nowMs }
    known.set(gateway, room)
  }
  if (room.left < wanted) return false
  room.left -= wanted
  return true
}

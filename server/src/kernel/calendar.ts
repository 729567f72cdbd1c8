/**
 * Periods of the calendar in a time zone: when the minute, hour, day, week, month or year of an instant begins and ends.
 * A day has 23 or 25 hours where the clock changes; one whose midnight is skipped begins with the first instant after.
 */
export const calendarUnits = ['minute', 'hour', 'day', 'week', 'month', 'year'] as const
export type CalendarUnit = (typeof calendarUnits)[number]

/** Wall-clock milliseconds since 1970; the end is the next period's start. */
export interface CalendarPeriod {
  readonly startMs: number
  readonly endMs: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name }).format(0)
    return true
  } catch {
    // The one thing that can be wrong with these arguments is the name.
    return false
  }
}

/** The function gives the period that an instant lies in, the same object as long as it is the same period. */
export function createCalendar(unit: CalendarUnit, timeZone: string): (nowMs: number) => CalendarPeriod {
  const offsetAt = createOffsets(timeZone)
  const find = unit === 'minute' || unit === 'hour' ? findClockPeriod : findDatePeriod
  let period: CalendarPeriod = { startMs: 0, endMs: 0 }
  return (nowMs) => {
    if (nowMs < period.startMs || nowMs >= period.endMs) period = find(unit, nowMs, offsetAt)
    return period
  }
}

/** Milliseconds that clocks in the zone are ahead of UTC at an instant. */
type OffsetAt = (atMs: number) => number

function createOffsets(timeZone: string): OffsetAt {
  if (timeZone === 'UTC') return () => 0
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (atMs) => {
    const parts = format.formatToParts(atMs)
    const read = (type: string): number => Number(parts.find((part) => part.type === type)?.value)
    const [year, month, day] = [read('year'), read('month'), read('day')]
    const local = Date.UTC(year, month - 1, day, read('hour'), read('minute'), read('second'))
    return local - Math.floor(atMs / 1000) * 1000
  }
}

/** Minutes and hours as the clock on the wall shows them at that instant: an hour that comes twice is two hours. */
function findClockPeriod(unit: CalendarUnit, nowMs: number, offsetAt: OffsetAt): CalendarPeriod {
  const lengthMs = unit === 'minute' ? MINUTE_MS : HOUR_MS
  const offsetMs = offsetAt(nowMs)
  const startMs = Math.floor((nowMs + offsetMs) / lengthMs) * lengthMs - offsetMs
  return { startMs, endMs: startMs + lengthMs }
}

function findDatePeriod(unit: CalendarUnit, nowMs: number, offsetAt: OffsetAt): CalendarPeriod {
  const local = new Date(nowMs + offsetAt(nowMs))
  const [year, month, day] = [local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate()]
  // Weeks begin with Monday (ISO 8601).
  const monday = day - ((local.getUTCDay() + 6) % 7)
  const edges: Readonly<Record<string, readonly [number, number]>> = {
    week: [Date.UTC(year, month, monday), Date.UTC(year, month, monday + 7)],
    month: [Date.UTC(year, month), Date.UTC(year, month + 1)],
    year: [Date.UTC(year, 0), Date.UTC(year + 1, 0)],
  }
  const [start, end] = edges[unit] ?? [Date.UTC(year, month, day), Date.UTC(year, month, day + 1)]
  return { startMs: toInstant(start, offsetAt), endMs: toInstant(end, offsetAt) }
}

/** The first instant at which clocks in the zone show `local`, or have skipped it; given as if it were UTC. */
function toInstant(local: number, offsetAt: OffsetAt): number {
  const [earlier, later] = [local - offsetAt(local - DAY_MS), local - offsetAt(local + DAY_MS)]
  if (earlier + offsetAt(earlier) === local) return earlier
  return later + offsetAt(later) === local ? later : earlier
}

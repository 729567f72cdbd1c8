import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { calendarUnits, createCalendar, isTimeZone, type CalendarUnit } from './calendar.ts'

const at = (text: string): number => Date.parse(text)

function periodOf(unit: CalendarUnit, timeZone: string, instant: string): string[] {
  const { startMs, endMs } = createCalendar(unit, timeZone)(at(instant))
  return [new Date(startMs).toISOString(), new Date(endMs).toISOString()]
}

describe('a period', () => {
  test.each([
    ['minute', '2026-02-28T23:59:00.000Z', '2026-03-01T00:00:00.000Z'],
    ['hour', '2026-02-28T23:00:00.000Z', '2026-03-01T00:00:00.000Z'],
    ['day', '2026-02-28T00:00:00.000Z', '2026-03-01T00:00:00.000Z'],
    ['week', '2026-02-23T00:00:00.000Z', '2026-03-02T00:00:00.000Z'],
    ['month', '2026-02-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z'],
    ['year', '2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ] as const)('%s in UTC is that of the calendar', (unit, start, end) => {
    expect(periodOf(unit, 'UTC', '2026-02-28T23:59:59.999Z')).toEqual([start, end])
  })

  test('begins at midnight of its zone, and has as many hours as the day there has', () => {
    expect(periodOf('day', 'Europe/Berlin', '2026-03-29T10:00:00Z')).toEqual([
      '2026-03-28T23:00:00.000Z',
      '2026-03-29T22:00:00.000Z',
    ])
    expect(periodOf('month', 'Asia/Kathmandu', '2026-03-31T18:20:00Z')[0]).toBe('2026-03-31T18:15:00.000Z')
  })

  test('begins with the first instant of a day whose midnight is skipped', () => {
    // In Chile the clock goes from 24:00 to 01:00.
    expect(periodOf('day', 'America/Santiago', '2025-09-07T12:00:00Z')[0]).toBe('2025-09-07T04:00:00.000Z')
  })

  test('of an hour that the clock shows twice is two periods', () => {
    const hours = ['00:30', '01:30'].map((time) => periodOf('hour', 'Europe/Berlin', `2026-10-25T${time}:00Z`)[0])
    expect(new Set(hours).size).toBe(2)
  })

  test('is found again when the clock was set back', () => {
    const calendar = createCalendar('day', 'UTC')
    const first = calendar(at('2026-01-01T12:00:00Z'))
    calendar(at('2026-01-02T00:00:00Z'))
    expect(calendar(at('2026-01-01T23:00:00Z'))).toEqual(first)
  })
})

test('periods hold their instant and follow each other without a gap, in any zone and at any time', () => {
  const zones = ['UTC', 'Europe/Berlin', 'America/Santiago', 'Australia/Lord_Howe', 'Asia/Kolkata', 'Pacific/Apia']
  const instants = fc.integer({ min: at('2005-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z') })
  fc.assert(
    fc.property(fc.constantFrom(...calendarUnits), fc.constantFrom(...zones), instants, (unit, zone, instantMs) => {
      const calendar = createCalendar(unit, zone)
      const { startMs, endMs } = calendar(instantMs)
      expect(startMs <= instantMs && instantMs < endMs).toBe(true)
      if (unit !== 'minute' && unit !== 'hour') {
        expect(createCalendar(unit, zone)(endMs).startMs).toBe(endMs)
        expect(createCalendar(unit, zone)(startMs - 1).endMs).toBe(startMs)
      }
    }),
    { numRuns: 2000 },
  )
})

test('days begin where the calendar of the language says', () => {
  const instants = fc.integer({ min: at('2005-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z') })
  const zones = fc.constantFrom('Europe/Berlin', 'America/Santiago', 'Africa/Cairo', 'Asia/Beirut', 'America/Havana')
  fc.assert(
    fc.property(instants, zones, (instantMs, zone) => {
      const now = Temporal.Instant.fromEpochMilliseconds(instantMs).toZonedDateTimeISO(zone)
      expect(createCalendar('day', zone)(instantMs).startMs).toBe(now.startOfDay().epochMilliseconds)
    }),
    { numRuns: 2000 },
  )
})

test('a time zone that does not exist is known to be none', () => {
  expect(['UTC', 'Europe/Berlin', 'Europe/Bern-Nord', '', 'x'.repeat(300)].map(isTimeZone)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ])
})

/** Where a page of a list begins: opaque to those who page on, and checked when it comes back. */
import type { z } from 'zod'
import { refuse } from '../control-error.ts'
import { notFound } from '../problems.ts'

/** `place` is what the list is sorted by, of the last entry of the page before. */
export function toCursor(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** The place that `toCursor` was given; refuses with 404 what is none. */
export function readCursor<Place>(cursor: string, place: z.ZodType<Place>): Place {
  try {
    const read = place.safeParse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
    if (read.success) return read.data
  } catch {
    // Nothing that we gave out: answered below like every other cursor that is not.
  }
  return refuse(notFound({ detail: 'The cursor is none that was given out. Begin again without it.' }))
}

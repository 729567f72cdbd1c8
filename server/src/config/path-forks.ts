/**
 * Where the router could take either of two ways: paths are alike up to a segment, and there both have text and parameters,
 * with as many characters of text. What comes behind does not help, since segments are ranked from the left.
 */
import { splitTemplate } from '../kernel/path-template.ts'
import { couldShareSegment } from './pattern-overlap.ts'
import { toPathShape } from './route-path.ts'

export interface Fork {
  /** Index of the segment; the first is 1. */
  readonly at: number
  /** Equal for paths that may part there. */
  readonly place: string
}

/** The segments of a path at which it may part from another that the router cannot rank. */
export function listForks(path: string): Fork[] {
  const segments = path.split('/')
  return segments.flatMap((segment, at) => {
    const parts = splitTemplate(segment)
    const textChars = parts.reduce((sum, part, index) => sum + (index % 2 === 0 ? part.length : 0), 0)
    if (parts.length === 1 || textChars === 0) return []
    return [{ at, place: `${toPathShape(segments.slice(0, at).join('/'))}/ ${textChars}` }]
  })
}

/** Whether two paths of one place part there and some request fits both. */
export function couldFork(left: string, right: string, at: number): boolean {
  const [a, b] = [left.split('/').slice(at), right.split('/').slice(at)]
  return toPathShape(a[0] ?? '') !== toPathShape(b[0] ?? '') && couldShareSegments(a, b)
}

/** Whether some request fits both paths. */
export function couldSharePath(left: string, right: string): boolean {
  return couldShareSegments(left.split('/').slice(1), right.split('/').slice(1))
}

function couldShareSegments(a: readonly string[], b: readonly string[]): boolean {
  for (let at = 0; at < a.length || at < b.length; at++) {
    const [left, right] = [a[at], b[at]]
    if (left === '*' || right === '*') return true
    if (left === undefined || right === undefined || !couldShareSegment(left, right)) return false
  }
  return true
}

/**
 * Whether some segment of a path fits two templates of text and parameters, such as `{name}.json` and `report-{id}`. Which of
 * two takes it is clear when one has more text; with as much in both nobody could say.
 */
import { splitTemplate } from '../kernel/path-template.ts'

/** One character of text, any one character, or any number of them. */
type Step = string | typeof ONE | typeof MORE
const ONE = Symbol('any character')
const MORE = Symbol('any number of characters')

export function couldShareSegment(left: string, right: string): boolean {
  if (!left.includes('{') && !right.includes('{')) return left === right
  const a = splitTemplate(left)
  const b = splitTemplate(right)
  if (!agreeAtStart(a[0] ?? '', b[0] ?? '') || !agreeAtEnd(a.at(-1) ?? '', b.at(-1) ?? '')) return false
  return overlap(toSteps(a), toSteps(b))
}

/** What decides most comparisons at once, of which there may be millions. */
function agreeAtStart(a: string, b: string): boolean {
  return a.length < b.length ? b.startsWith(a) : a.startsWith(b)
}

function agreeAtEnd(a: string, b: string): boolean {
  return a.length < b.length ? b.endsWith(a) : a.endsWith(b)
}

/** A parameter takes one character or more. */
function toSteps(parts: readonly string[]): Step[] {
  return parts.flatMap((part, at): Step[] => (at % 2 === 0 ? part.split('') : [ONE, MORE]))
}

/** Walks both at once and keeps, for each step of `a`, the steps of `b` that can be reached together with it. */
function overlap(a: readonly Step[], b: readonly Step[]): boolean {
  let reached = closeOver(b, new Set([0]))
  for (const step of a) {
    const next = new Set<number>()
    if (step === MORE) {
      // It takes nothing, or whatever comes: everything behind what was reached.
      for (let at = Math.min(...reached); at <= b.length; at++) next.add(at)
    } else for (const at of reached) for (const after of take(b, at, step)) next.add(after)
    reached = closeOver(b, next)
    if (reached.size === 0) return false
  }
  return reached.has(b.length)
}

/** Where `b` stands after one character that `step` allows too. */
function take(b: readonly Step[], at: number, step: string | typeof ONE): number[] {
  const there = b[at]
  if (there === undefined) return []
  if (there === MORE) return [at]
  return there === ONE || step === ONE || there === step ? [at + 1] : []
}

/** Adds what is reached without a character. */
function closeOver(b: readonly Step[], reached: Set<number>): Set<number> {
  for (const at of reached) if (b[at] === MORE) reached.add(at + 1)
  return reached
}

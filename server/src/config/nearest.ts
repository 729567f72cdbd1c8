/** Finds what somebody probably meant. */
import { distance } from 'fastest-levenshtein'

/** More names than these are not listed in a message. */
const MOST_LISTED = 12

/** The hint for a name that is not known: the nearest one, or all when they are few. */
export function suggest(unknown: string, known: readonly string[]): string | undefined {
  const nearest = suggestNearest(unknown, known)
  if (nearest !== undefined) return nearest
  if (known.length === 0 || known.length > MOST_LISTED) return undefined
  return `Known: ${known.map((name) => `\`${name}\``).join(', ')}.`
}

/** The hint for a name that stands in a message with all that are known. */
export function suggestNearest(unknown: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  // A third of the letters may be wrong, and of a short word two, but never all.
  let bestDistance = Math.min(unknown.length - 1, Math.max(2, Math.floor(unknown.length / 3))) + 1
  for (const name of known) {
    const steps = distance(unknown.toLowerCase(), name.toLowerCase())
    if (steps >= bestDistance) continue
    best = name
    bestDistance = steps
  }
  return best === undefined ? undefined : `Did you mean \`${best}\`?`
}

/**
 * A segment of a route that is parameters and text, such as `{name}.{extension}` or `{id}:cancel`. Every parameter takes at
 * least one character, and the ones further left take as much as they can: `a.tar.gz` is `a.tar` and `gz`.
 */
import { splitTemplate } from '../kernel/path-template.ts'

export class SegmentPattern {
  /** The pattern without names: equal for two that match the same segments. */
  readonly shape: string
  /** Characters of text in it; more of them make it more specific. */
  readonly textChars: number
  private readonly first: string
  /** What stands between two parameters. */
  private readonly between: readonly string[]
  private readonly last: string

  constructor(template: string) {
    const texts = splitTemplate(template).filter((_, at) => at % 2 === 0)
    this.shape = texts.join('{}')
    this.textChars = this.shape.length - 2 * (texts.length - 1)
    this.first = texts[0] ?? ''
    this.between = texts.slice(1, -1)
    this.last = texts.at(-1) ?? ''
  }

  /** Adds the raw values of the parameters to `values`, or nothing when the segment does not match. */
  match(segment: string, values: string[]): boolean {
    const { first, between, last } = this
    let end = segment.length - last.length
    if (!segment.startsWith(first) || !segment.endsWith(last) || cutsEncoding(segment, end)) return false
    // From the right, each text as far right as it can stand: where any way of matching exists, this one does.
    const cuts: number[] = []
    for (let at = between.length - 1; at >= 0; at--) {
      const text = between[at] ?? ''
      const start = findBefore(segment, text, end)
      if (start <= first.length) return false
      cuts.push(start + text.length, end)
      end = start
    }
    if (end <= first.length) return false
    values.push(segment.slice(first.length, end))
    for (let at = cuts.length - 2; at >= 0; at -= 2) values.push(segment.slice(cuts[at], cuts[at + 1]))
    return true
  }
}

/** Where `text` stands last with a character between it and `end`; -1 when nowhere. */
function findBefore(segment: string, text: string, end: number): number {
  let at = end - 1 - text.length
  while (at >= 0) {
    at = segment.lastIndexOf(text, at)
    if (at === -1 || !cutsEncoding(segment, at)) return at
    at--
  }
  return -1
}

/** Whether `%2F` would be cut in two: its digits are no text of their own. */
function cutsEncoding(segment: string, at: number): boolean {
  return segment.charCodeAt(at - 1) === PERCENT || segment.charCodeAt(at - 2) === PERCENT
}

const PERCENT = 0x25

/** Makes texts that match a regular expression: in bounded time, because repetitions end and every text is checked. */
import { compilePattern, type LinearPattern } from '../../../kernel/linear-pattern.ts'
import { PatternError } from '../../../kernel/pattern-error.ts'
import { complementOf, parsePattern, type CharRange, type PatternNode } from './parse-pattern.ts'
import type { Random } from './random.ts'

/** How much more than they must repetitions may have, one try after the other: what is asked for may be long. */
const MORE = [2, 0, 1, 4, 3, 8, 16, 6, 32, 64, 12, 128, 256, 512, 1024] as const
const MAX_CHARS = 4096
const KNOWN_PATTERNS = 500

const compiled = new Map<string, LinearPattern | undefined>()

/** Whether a text matches; undefined when nobody can tell in linear time. */
export function matchesPattern(source: string, text: string): boolean | undefined {
  if (!compiled.has(source)) {
    if (compiled.size >= KNOWN_PATTERNS) compiled.clear()
    compiled.set(source, compileIfLinear(source))
  }
  return compiled.get(source)?.test(text)
}

/** A text that matches and that `fits` accepts; undefined when none was found. */
export function generateFromPattern(
  source: string,
  random: Random,
  fits: (text: string) => boolean,
): string | undefined {
  const flags = toFlags(source)
  const node = flags === undefined ? undefined : parsePattern(source, flags === 'u')
  if (node === undefined) return undefined
  for (const more of MORE) {
    for (let tries = 0; tries < 3; tries++) {
      const text = new TextMaker(random, more).make(node)
      if (matchesPattern(source, text) !== false && fits(text)) return text
    }
  }
  return undefined
}

/** The standard asks for the `u` flag; patterns that are valid only without it are common, and so are those of no use. */
function toFlags(source: string): 'u' | '' | undefined {
  return (['u', ''] as const).find((flags) => {
    try {
      return new RegExp(source, flags).flags === flags
    } catch {
      // It is a pattern with the other flag, or of another language.
      return false
    }
  })
}

function compileIfLinear(source: string): LinearPattern | undefined {
  try {
    return compilePattern(source, 'ecma')
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    return undefined
  }
}

class TextMaker {
  private readonly random: Random
  private readonly more: number
  private left = MAX_CHARS

  constructor(random: Random, more: number) {
    this.random = random
    this.more = more
  }

  make(node: PatternNode): string {
    switch (node.kind) {
      case 'chars':
        this.left--
        return this.makeChar(node.negated ? complementOf(node.ranges) : node.ranges)
      case 'sequence':
        return node.parts.map((part) => this.make(part)).join('')
      case 'choice': {
        const option = node.options[this.random.whole(0, node.options.length - 1)]
        return option === undefined ? '' : this.make(option)
      }
      case 'repeat': {
        const count = this.random.whole(node.least, Math.min(node.most, node.least + this.more))
        let text = ''
        for (let i = 0; i < count && this.left > 0; i++) text += this.make(node.part)
        return text
      }
    }
  }

  /** Letters and digits where they are allowed, since most of what people call an identifier is made of them. */
  private makeChar(ranges: readonly CharRange[]): string {
    const plain = ranges.flatMap((range) => PLAIN.flatMap((each) => overlapOf(range, each)))
    const [first, ...rest] = plain.length > 0 ? plain : ranges
    if (first === undefined) return ''
    const [from, to] = this.random.pick([first, ...rest])
    return String.fromCodePoint(this.random.whole(from, to))
  }
}

const PLAIN: readonly CharRange[] = [
  [0x61, 0x7a],
  [0x41, 0x5a],
  [0x30, 0x39],
]

function overlapOf([first, last]: CharRange, [from, to]: CharRange): CharRange[] {
  const overlap: CharRange = [Math.max(first, from), Math.min(last, to)]
  return overlap[0] <= overlap[1] ? [overlap] : []
}

/**
 * HTTP fields (RFC 9110 §5): headers and trailers, in order, names in lower case.
 *
 * Parallel arrays instead of a map: a message has about a dozen fields, so a scan over interned names beats hashing,
 * keeps order and repetition, and costs a few arrays whatever a client sends.
 */

/** Never written to: `append` and `receive` see that it is empty. */
const NO_LINES: number[] = []

/** What fields say; several may say the same. */
class Section {
  names: string[]
  values: string[]
  /** The lines in which fields were received, their names in lower case. */
  text = ''
  /** Where in `text` the line of each field begins, -1 when it has none; empty when no field has. */
  lineStarts: number[] = NO_LINES
  /** Others have it too: whoever changes it makes a copy first. */
  shared = false
  /** Only of one that is shared for good. */
  made: Made | undefined = undefined

  constructor(names: string[], values: string[]) {
    this.names = names
    this.values = values
  }

  copy(): Section {
    const copy = new Section(this.names.slice(), this.values.slice())
    copy.text = this.text
    if (this.lineStarts.length > 0) copy.lineStarts = this.lineStarts.slice()
    return copy
  }
}

/** What is made of longer ones is not kept: each policy that takes a field away would keep a copy of the others. */
const MOST_REMEMBERED = 32
/** So many removals in a row are kept, each of them with the fields that were left: clients may send much that goes. */
const MOST_REMOVALS = 4

/** What was made of a section last, for when the same is wanted of it again. */
class Made {
  /** How many led from what was remembered to the section. */
  readonly removals: number
  lines: string | undefined = undefined
  /** What is left of it without the fields of one name. */
  without = ''
  rest: Section | undefined = undefined
  /** What `derive` made of one of its texts. */
  text = ''
  derive: Derive | undefined = undefined
  derived = ''

  constructor(removals: number) {
    this.removals = removals
  }
}

export type Derive = (text: string) => string

export class Fields {
  private section: Section

  constructor(names: string[] = [], values: string[] = []) {
    this.section = new Section(names, values)
  }

  static of(fields: Readonly<Record<string, string>>): Fields {
    return new Fields(Object.keys(fields), Object.values(fields))
  }

  get names(): readonly string[] {
    return this.section.names
  }

  get values(): readonly string[] {
    return this.section.values
  }

  get size(): number {
    return this.section.names.length
  }

  /** The first value of a field, or undefined. `name` must be in lower case. */
  get(name: string): string | undefined {
    const { names, values } = this.section
    const at = names.indexOf(name)
    return at === -1 ? undefined : values[at]
  }

  has(name: string): boolean {
    return this.section.names.indexOf(name) !== -1
  }

  count(name: string): number {
    let count = 0
    for (const each of this.names) if (each === name) count++
    return count
  }

  /** All values of a field joined as one list (RFC 9110 §5.3), or undefined. */
  joined(name: string): string | undefined {
    const { names, values } = this.section
    let all: string | undefined
    for (let i = 0; i < names.length; i++) {
      if (names[i] === name) all = all === undefined ? values[i] : `${all}, ${values[i]}`
    }
    return all
  }

  append(name: string, value: string): void {
    const { names, values, lineStarts } = this.own()
    names.push(name)
    values.push(value)
    if (lineStarts.length > 0) lineStarts.push(-1)
  }

  /** The text whose lines `receive` tells of; to be called first, on empty fields. */
  receiveFrom(text: string): void {
    const { section } = this
    section.text = text
    section.lineStarts = []
  }

  /** Adds a field as it came; `lineStart` is where its line, `name: value` and CRLF, stands in the text, or -1. */
  receive(name: string, value: string, lineStart: number): void {
    const { names, values, lineStarts } = this.section
    names.push(name)
    values.push(value)
    lineStarts.push(lineStart)
  }

  /** Replaces every value of the field by one, at the place of the first. */
  set(name: string, value: string): void {
    const at = this.section.names.indexOf(name)
    if (at === -1) {
      this.append(name, value)
      return
    }
    const own = this.own()
    own.values[at] = value
    if (at < own.lineStarts.length) own.lineStarts[at] = -1
    if (own.names.indexOf(name, at + 1) !== -1) dropFrom(own, name, at + 1)
  }

  /** Gives the fields of one name another one. */
  rename(from: string, to: string): void {
    const { names, lineStarts } = this.own()
    for (let i = 0; i < names.length; i++) {
      if (names[i] !== from) continue
      names[i] = to
      if (i < lineStarts.length) lineStarts[i] = -1
    }
  }

  remove(name: string): void {
    const { section } = this
    const at = section.names.indexOf(name)
    if (at === -1) return
    const { made } = section
    if (made === undefined) dropFrom(this.own(), name, at)
    else this.section = (made.without === name ? made.rest : undefined) ?? keepRest(section, made, name, at)
  }

  /** The same fields, which go their own way from now on; nothing is copied until either changes. */
  clone(): Fields {
    const copy = new Fields()
    copy.shareFrom(this)
    return copy
  }

  /** A clone of which the same is wanted again and again: what is made of it, and of its clones, is kept with it. */
  remember(): Fields {
    const copy = this.clone()
    if (copy.size <= MOST_REMEMBERED) copy.section.made ??= new Made(0)
    return copy
  }

  /** Says what `other` says, in place of what was said before. */
  shareFrom(other: Fields): void {
    this.section = other.section
    this.section.shared = true
  }

  /** What `derive` makes of a text that stands in these fields. */
  derive(text: string, derive: Derive): string {
    const { made } = this.section
    if (made === undefined) return derive(text)
    if (made.derive !== derive || made.text !== text) {
      made.derived = derive(text)
      made.text = text
      made.derive = derive
    }
    return made.derived
  }

  /** The field lines of HTTP/1.1 (RFC 9112 §5). */
  toLines(): string {
    const { made } = this.section
    if (made === undefined) return joinLines(this.section)
    made.lines ??= joinLines(this.section)
    return made.lines
  }

  /** The section, to be changed. */
  private own(): Section {
    if (this.section.shared) this.section = this.section.copy()
    return this.section
  }
}

/** What is left of a remembered section without the fields of a name, the first of which stands at `at`. */
function keepRest(section: Section, made: Made, name: string, at: number): Section {
  const rest = section.copy()
  dropFrom(rest, name, at)
  rest.shared = true
  const removals = made.removals + 1
  if (removals < MOST_REMOVALS) rest.made = new Made(removals)
  made.without = name
  made.rest = rest
  return rest
}

/**
 * What was received and not changed is taken over in one piece: texts that are put together from a few long pieces cost a
 * fraction of those of many short ones.
 */
function joinLines({ names, values, lineStarts, text }: Section): string {
  let lines = ''
  let from = 0
  let to = 0
  for (let i = 0; i < names.length; i++) {
    const name = names[i] ?? ''
    const value = values[i] ?? ''
    const start = lineStarts.length === 0 ? -1 : (lineStarts[i] ?? -1)
    if (start === -1) {
      if (to > from) lines += text.slice(from, to)
      from = to = 0
      lines += name + ': ' + value + '\r\n'
      continue
    }
    if (start !== to || to === from) {
      if (to > from) lines += text.slice(from, to)
      from = start
    }
    to = start + name.length + value.length + BESIDE_NAME_AND_VALUE
  }
  return to > from ? lines + text.slice(from, to) : lines
}

function dropFrom({ names, values, lineStarts }: Section, name: string, from: number): void {
  const hasLines = lineStarts.length > 0
  let kept = from
  for (let i = from; i < names.length; i++) {
    const each = names[i] ?? ''
    if (each === name) continue
    names[kept] = each
    values[kept] = values[i] ?? ''
    if (hasLines) lineStarts[kept] = lineStarts[i] ?? -1
    kept++
  }
  // Popping stays on the engine's fast path, setting `length` does not.
  while (names.length > kept) {
    names.pop()
    values.pop()
    if (hasLines) lineStarts.pop()
  }
}

/** `: ` and CRLF. */
const BESIDE_NAME_AND_VALUE = 4

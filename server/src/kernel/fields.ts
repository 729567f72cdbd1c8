/**
 * HTTP fields (RFC 9110 §5): headers and trailers, in order, names in lower case.
 *
 * Parallel arrays instead of a map: a message has about a dozen fields, so a scan over interned names beats hashing,
 * keeps order and repetition, and costs a few arrays whatever a client sends.
 */
export class Fields {
  private nameList: string[]
  private valueList: string[]
  /** The lines in which fields were received, their names in lower case. */
  private text = ''
  /** Where in `text` the line of each field begins, -1 when it has none; empty when no field has. */
  private lineStarts: number[] = NO_LINES
  /** Others have the same lists: whoever changes them makes copies first. */
  private shared = false

  constructor(names: string[] = [], values: string[] = []) {
    this.nameList = names
    this.valueList = values
  }

  static of(fields: Readonly<Record<string, string>>): Fields {
    return new Fields(Object.keys(fields), Object.values(fields))
  }

  get names(): readonly string[] {
    return this.nameList
  }

  get values(): readonly string[] {
    return this.valueList
  }

  get size(): number {
    return this.nameList.length
  }

  /** The first value of a field, or undefined. `name` must be in lower case. */
  get(name: string): string | undefined {
    const at = this.nameList.indexOf(name)
    return at === -1 ? undefined : this.valueList[at]
  }

  has(name: string): boolean {
    return this.nameList.indexOf(name) !== -1
  }

  count(name: string): number {
    let count = 0
    for (const each of this.names) if (each === name) count++
    return count
  }

  /** All values of a field joined as one list (RFC 9110 §5.3), or undefined. */
  joined(name: string): string | undefined {
    let all: string | undefined
    for (let i = 0; i < this.names.length; i++) {
      if (this.names[i] === name) all = all === undefined ? this.values[i] : `${all}, ${this.values[i]}`
    }
    return all
  }

  append(name: string, value: string): void {
    if (this.shared) this.takeCopies()
    this.nameList.push(name)
    this.valueList.push(value)
    if (this.lineStarts.length > 0) this.lineStarts.push(-1)
  }

  /** The text whose lines `receive` tells of; to be called first, on empty fields. */
  receiveFrom(text: string): void {
    this.text = text
    this.lineStarts = []
  }

  /** Adds a field as it came; `lineStart` is where its line, `name: value` and CRLF, stands in the text, or -1. */
  receive(name: string, value: string, lineStart: number): void {
    this.nameList.push(name)
    this.valueList.push(value)
    this.lineStarts.push(lineStart)
  }

  /** Replaces every value of the field by one, at the place of the first. */
  set(name: string, value: string): void {
    const at = this.nameList.indexOf(name)
    if (at === -1) {
      this.append(name, value)
      return
    }
    if (this.shared) this.takeCopies()
    this.valueList[at] = value
    if (at < this.lineStarts.length) this.lineStarts[at] = -1
    if (this.nameList.indexOf(name, at + 1) !== -1) this.dropFrom(name, at + 1)
  }

  /** Gives the fields of one name another one. */
  rename(from: string, to: string): void {
    if (this.shared) this.takeCopies()
    for (let i = 0; i < this.nameList.length; i++) {
      if (this.nameList[i] !== from) continue
      this.nameList[i] = to
      if (i < this.lineStarts.length) this.lineStarts[i] = -1
    }
  }

  remove(name: string): void {
    const at = this.nameList.indexOf(name)
    if (at !== -1) this.dropFrom(name, at)
  }

  /** The same fields, which go their own way from now on; nothing is copied until either changes. */
  clone(): Fields {
    const copy = new Fields()
    copy.shareFrom(this)
    return copy
  }

  /** Says what `other` says, in place of what was said before. */
  shareFrom(other: Fields): void {
    this.nameList = other.nameList
    this.valueList = other.valueList
    this.text = other.text
    this.lineStarts = other.lineStarts
    this.shared = other.shared = true
  }

  /**
   * The field lines of HTTP/1.1 (RFC 9112 §5). What was received and not changed is taken over in one piece: texts that
   * are put together from a few long pieces cost a fraction of those of many short ones.
   */
  toLines(): string {
    const { nameList, valueList, lineStarts, text } = this
    let lines = ''
    let from = 0
    let to = 0
    for (let i = 0; i < nameList.length; i++) {
      const name = nameList[i] ?? ''
      const value = valueList[i] ?? ''
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

  private takeCopies(): void {
    this.shared = false
    this.nameList = this.nameList.slice()
    this.valueList = this.valueList.slice()
    if (this.lineStarts.length > 0) this.lineStarts = this.lineStarts.slice()
  }

  private dropFrom(name: string, from: number): void {
    if (this.shared) this.takeCopies()
    const { nameList, valueList, lineStarts } = this
    const hasLines = lineStarts.length > 0
    let kept = from
    for (let i = from; i < nameList.length; i++) {
      const each = nameList[i] ?? ''
      if (each === name) continue
      nameList[kept] = each
      valueList[kept] = valueList[i] ?? ''
      if (hasLines) lineStarts[kept] = lineStarts[i] ?? -1
      kept++
    }
    // Popping stays on the engine's fast path, setting `length` does not.
    while (nameList.length > kept) {
      nameList.pop()
      valueList.pop()
      if (hasLines) lineStarts.pop()
    }
  }
}

/** Never written to: `append` and `receive` see that it is empty. */
const NO_LINES: number[] = []
/** `: ` and CRLF. */
const BESIDE_NAME_AND_VALUE = 4

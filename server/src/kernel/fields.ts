/**
 * HTTP fields (RFC 9110 §5): headers and trailers, in order, names in lower case.
 *
 * Two parallel arrays instead of a map: a message has about a dozen fields, so a scan over interned names beats
 * hashing, keeps order and repetition, and costs two arrays whatever a client sends.
 */
export class Fields {
  readonly names: string[]
  readonly values: string[]

  constructor(names: string[] = [], values: string[] = []) {
    this.names = names
    this.values = values
  }

  static of(fields: Readonly<Record<string, string>>): Fields {
    return new Fields(Object.keys(fields), Object.values(fields))
  }

  get size(): number {
    return this.names.length
  }

  /** The first value of a field, or undefined. `name` must be in lower case. */
  get(name: string): string | undefined {
    const at = this.names.indexOf(name)
    return at === -1 ? undefined : this.values[at]
  }

  has(name: string): boolean {
    return this.names.indexOf(name) !== -1
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
    this.names.push(name)
    this.values.push(value)
  }

  /** Replaces every value of the field by one, at the place of the first. */
  set(name: string, value: string): void {
    const at = this.names.indexOf(name)
    if (at === -1) {
      this.append(name, value)
      return
    }
    this.values[at] = value
    if (this.names.indexOf(name, at + 1) !== -1) this.dropFrom(name, at + 1)
  }

  remove(name: string): void {
    const at = this.names.indexOf(name)
    if (at !== -1) this.dropFrom(name, at)
  }

  clone(): Fields {
    return new Fields(this.names.slice(), this.values.slice())
  }

  private dropFrom(name: string, from: number): void {
    let kept = from
    for (let i = from; i < this.names.length; i++) {
      const each = this.names[i] ?? ''
      if (each === name) continue
      this.names[kept] = each
      this.values[kept] = this.values[i] ?? ''
      kept++
    }
    // Popping stays on the engine's fast path, setting `length` does not.
    while (this.names.length > kept) {
      this.names.pop()
      this.values.pop()
    }
  }
}

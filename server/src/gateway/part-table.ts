/** Parts of a snapshot under their names; what a change replaced is remembered until the change is settled. */
export class PartTable<Part> {
  private readonly parts = new Map<string, Part>()
  private readonly replaced = new Map<string, Part | undefined>()

  get(name: string): Part | undefined {
    return this.parts.get(name)
  }

  has(name: string): boolean {
    return this.parts.has(name)
  }

  values(): Iterable<Part> {
    return this.parts.values()
  }

  entries(): Iterable<[string, Part]> {
    return this.parts
  }

  /** Undefined takes the part out. */
  set(name: string, part: Part | undefined): void {
    if (!this.replaced.has(name)) this.replaced.set(name, this.parts.get(name))
    if (part === undefined) this.parts.delete(name)
    else this.parts.set(name, part)
  }

  /** What changed since the last change was settled: by name what was there before, undefined for nothing. */
  get before(): ReadonlyMap<string, Part | undefined> {
    return this.replaced
  }

  /** The change stays. */
  settle(): void {
    this.replaced.clear()
  }

  /** The change is taken back. */
  rollBack(): void {
    for (const [name, part] of this.replaced) {
      if (part === undefined) this.parts.delete(name)
      else this.parts.set(name, part)
    }
    this.replaced.clear()
  }
}

/**
 * The schemas that operations of one document refer to, kept once for all of them: an operation that had a copy of all that it
 * leads to would have hundreds of kilobytes in some documents, and there are thousands of operations.
 */
import type { JsonObject, JsonValue } from '../../kernel/json.ts'
import { keyOf, ReferenceResolver } from './resolve-references.ts'
import type { Located, References } from './spec-files.ts'
import { upgradeSchemas } from './upgrade-schemas.ts'

export class SharedSchemas {
  private readonly files: References
  private readonly dialect: '3.0' | '3.1'
  private readonly names = new Map<string, string>()
  private readonly taken = new Set<string>()
  private readonly waiting: Located[] = []
  private resolved: Readonly<Record<string, JsonValue>> = {}

  constructor(files: References, dialect: '3.0' | '3.1') {
    this.files = files
    this.dialect = dialect
  }

  /** The name of a schema that a reference leads to. */
  nameOf(target: Located): string {
    const key = keyOf(target)
    const known = this.names.get(key)
    if (known !== undefined) return known
    const base = String(target.pointer.at(-1) ?? 'document').replaceAll(/[^A-Za-z0-9._-]/g, '_')
    let name = base
    for (let count = 2; this.taken.has(name); count++) name = `${base}-${count}`
    this.taken.add(name)
    this.names.set(key, name)
    this.waiting.push(target)
    return name
  }

  /** What was referred to until now, and what that refers to; throws a `ReferenceFault`. */
  collect(): JsonObject {
    const fresh: Record<string, JsonValue> = {}
    for (let each = this.waiting.pop(); each !== undefined; each = this.waiting.pop()) {
      const resolver = new ReferenceResolver(this.files, this.dialect === '3.1', this)
      fresh[this.nameOf(each)] = resolver.resolveShared(each)
    }
    this.resolved = { ...this.resolved, ...(this.dialect === '3.0' ? upgradeSchemas(fresh) : fresh) }
    return this.resolved
  }
}

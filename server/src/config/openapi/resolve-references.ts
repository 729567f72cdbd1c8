/**
 * Puts what references lead to in their places. Inside schemas, a reference to what stands around it, and every one
 * once an operation has grown large, stays a reference: to a schema that all operations of the document share.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts'
import type { SharedSchemas } from './shared-schemas.ts'
import { ReferenceFault, toPointer, type Located, type References, type SpecFile } from './spec-files.ts'

/** Values of one operation after which references are kept: schemas can share parts so that copies explode. */
const MOST_VALUES = 100

/** Values of a schema that is never copied, since it may stand in every operation. */
const MOST_COPIED_VALUES = 50

/** Values of one operation after which references outside schemas, which cannot be kept, are refused. */
const MOST_COPIES = 50_000

/** References inside each other after which they are kept. */
const MOST_OPEN = 50

/** Keys below which stands data that only looks like a schema. */
const LITERALS = new Set(['example', 'examples', 'default', 'const', 'enum', 'mapping'])

/** Keys whose own keys are names chosen by the author. */
const MAPS = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
  'headers',
  'content',
  'responses',
])

/** What may stand beside a reference without changing what it means. */
const ANNOTATIONS = new Set(['$ref', 'summary', 'description'])

interface Context {
  /** The file that relative references start from. */
  readonly file: SpecFile
  /** References that lead here, each inside the one before. */
  readonly open: ReadonlySet<string>
  /** Whether this is inside a schema: parameters and bodies are no schemas and are always put in place. */
  readonly inSchema: boolean
}

export class ReferenceResolver {
  private readonly files: References
  /** Before OpenAPI 3.1, what stands beside a `$ref` does not count. */
  private readonly siblingsCount: boolean
  private readonly shared: SharedSchemas
  private values = 0

  constructor(files: References, siblingsCount: boolean, shared: SharedSchemas) {
    this.files = files
    this.siblingsCount = siblingsCount
    this.shared = shared
  }

  /** The operation with its references resolved; those that stay lead to the shared schemas. */
  resolve(operation: object, file: SpecFile): JsonObject {
    return this.expandObject(operation, { file, open: new Set(), inSchema: false }, false)
  }

  /** A shared schema: all its references stay. */
  resolveShared({ file, value }: Located): JsonValue {
    this.values = MOST_VALUES
    return this.expand(value, { file, open: new Set(), inSchema: true }, false)
  }

  private expand(value: unknown, context: Context, isMap: boolean): JsonValue {
    this.values++
    if (Array.isArray(value)) return value.map((each) => this.expand(each, context, false))
    if (typeof value === 'object' && value !== null) return this.expandObject(value, context, isMap)
    // YAML and JSON give nothing but text, numbers, booleans and null here.
    return value as JsonValue
  }

  private expandObject(value: object, context: Context, isMap: boolean): JsonObject {
    const reference: unknown = Reflect.get(value, '$ref')
    if (typeof reference === 'string' && !isMap) return this.expandReference(reference, value, context)
    const result: Record<string, JsonValue> = {}
    for (const [key, inner] of Object.entries(value)) {
      const below = key === 'schema' && !isMap ? { ...context, inSchema: true } : context
      // Outside schemas, `examples` are objects by name, and only what they have as `value` is data (OpenAPI 3.1 §4.8.19).
      const isExamples = key === 'examples' && !context.inSchema
      // What an extension holds, nobody here knows, and some have a `$ref` of their own kind.
      const isData = LITERALS.has(key) || key.startsWith('x-') || (key === 'value' && !context.inSchema)
      const isLiteral = !isMap && !isExamples && isData
      // Nothing that policies do depends on it, and in large documents it is most of the text.
      if (key === 'description' && context.inSchema && !isMap) continue
      result[key] = isLiteral
        ? (inner as JsonValue)
        : this.expand(inner, below, !isMap && (isExamples || MAPS.has(key)))
    }
    return result
  }

  private expandReference(reference: string, value: object, context: Context): JsonObject {
    const resolved = this.expandTarget(this.files.follow(reference, context.file), context)
    const beside = Object.entries(value).filter(([key]) => !ANNOTATIONS.has(key))
    if (!this.siblingsCount || beside.length === 0) return resolved
    return { allOf: [resolved], ...this.expandObject(Object.fromEntries(beside), context, false) }
  }

  private expandTarget(target: Located, { open, inSchema }: Context): JsonObject {
    const key = keyOf(target)
    const isCircle = open.has(key) || open.size >= MOST_OPEN
    if (inSchema && (isCircle || this.values > MOST_VALUES || isLarge(target.value))) {
      return { $ref: `#/components/schemas/${this.shared.nameOf(target)}` }
    }
    if (isCircle) {
      throw new ReferenceFault(`the reference ${toPointer(target.pointer)} leads back to itself`, 'Break the circle.')
    }
    if (!inSchema && this.values > MOST_COPIES) {
      const hint = 'Let its parts refer to each other less often.'
      throw new ReferenceFault(`the operation amounts to more than ${MOST_COPIES} values`, hint)
    }
    const expanded = this.expand(target.value, { file: target.file, open: new Set([...open, key]), inSchema }, false)
    if (isJsonObject(expanded)) return expanded
    if (typeof expanded === 'boolean') return expanded ? {} : { not: {} }
    throw new ReferenceFault(`the reference ${toPointer(target.pointer)} leads to no object`, 'Mend the reference.')
  }
}

/** Whether a value has more than some values in it; stops counting there. */
function isLarge(value: unknown): boolean {
  const waiting: unknown[] = [value]
  for (let count = 0; waiting.length > 0; count++) {
    if (count > MOST_COPIED_VALUES) return true
    const each = waiting.pop()
    if (typeof each === 'object' && each !== null) waiting.push(...Object.values(each).slice(0, MOST_COPIED_VALUES + 1))
  }
  return false
}

/** Where a value stands, across files. */
export function keyOf({ file, pointer }: Located): string {
  return `${file.source.file}${toPointer(pointer)}`
}

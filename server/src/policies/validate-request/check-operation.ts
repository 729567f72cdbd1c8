/** Says what is wrong with an operation before any request meets it; runs where files are checked. */
import type { JsonObject, JsonValue } from '../../kernel/json.ts'
import { isObject, toStep } from './json-shape.ts'
import { readOperation, type Operation } from './operation.ts'
import type { SchemaOptions } from './request-schema.ts'
import { SchemaChecker } from './schema-compiler.ts'

export class OperationChecker {
  private readonly options: SchemaOptions
  private readonly schemas = new SchemaChecker()
  /** Names of schemas that were looked at, by the list that operations share. */
  private readonly known = new WeakMap<object, Set<string>>()

  constructor(options: SchemaOptions) {
    this.options = options
  }

  /** A sentence for each flaw, beginning with its place in the operation. */
  findFlaws(operation: JsonObject): string[] {
    const flaws: string[] = []
    const shared = isObject(operation['components']) ? operation['components']['schemas'] : undefined
    const known = (isObject(shared) ? this.known.get(shared) : undefined) ?? new Set()
    const tell = (pointer: string, message: string): void => void flaws.push(`${pointer} ${message}`)
    const read = readOperation(operation, this.options, tell, known)
    if (isObject(shared)) this.known.set(shared, known.union(new Set(Object.keys(read.schemas))))
    for (const [place, schema] of listSchemas(read)) {
      const paths = new Set<string>()
      for (const { instancePath, message = 'is wrong' } of this.schemas.findFlaws(schema)) {
        // Alternatives of the meta-schema fail one by one at the same place; the first says enough.
        if (paths.has(instancePath)) continue
        paths.add(instancePath)
        flaws.push(`${place}${instancePath} ${message}`)
      }
    }
    return flaws
  }
}

function listSchemas({ parameters, body, schemas }: Operation): [place: string, schema: JsonValue][] {
  return [
    ...[...parameters, ...(body?.types ?? [])].map(({ pointer, schema = true }): [string, JsonValue] => [
      pointer,
      schema,
    ]),
    ...Object.entries(schemas).map(([name, schema]): [string, JsonValue] => {
      return [`/components/schemas/${toStep(name)}`, schema]
    }),
  ]
}

/** What requests of an operation have to carry, as far as a route can ask for it: it may tell two operations apart. */
import { childOf } from '../findings.ts'
import { ReferenceFault, type Located, type References, type SpecFile } from './spec-files.ts'

export interface Demand {
  readonly place: 'path' | 'query' | 'header'
  readonly name: string
  /** The only value that it may have; undefined when it may have several. */
  readonly value: string | undefined
}

/** Fields that OpenAPI leaves to other parts of a document (3.1 §4.8.12.1). */
const IGNORED_HEADERS = new Set(['accept', 'content-type', 'authorization'])

/** References in a row that are followed. */
const MOST_STEPS = 10

export class DemandReader {
  private readonly references: References

  constructor(references: References) {
    this.references = references
  }

  /** Required parameters of an operation of `item`. References to nothing are no demands; whoever needs them reports them. */
  read(operation: object, item: Located): Demand[] {
    const demands = new Map<string, Demand | undefined>()
    for (const list of [childOf(item.value, 'parameters'), childOf(operation, 'parameters')]) {
      for (const each of Array.isArray(list) ? list : []) {
        const { value, file } = this.follow(each, item.file)
        const key = `${String(childOf(value, 'in'))} ${String(childOf(value, 'name'))}`
        demands.set(key, this.toDemand(value, file))
      }
    }
    return [...demands.values()].filter((each) => each !== undefined)
  }

  /** Media types of the operation's body in lower case; none when there is none or one has a wildcard. */
  readMediaTypes(operation: object, item: Located): string[] {
    const { value } = this.follow(childOf(operation, 'requestBody'), item.file)
    const content = childOf(value, 'content')
    const types = typeof content === 'object' && content !== null ? Object.keys(content) : []
    const essences = types.map((type) => type.replace(/;.*$/s, '').trim().toLowerCase())
    return essences.some((each) => each.includes('*')) ? [] : essences
  }

  private toDemand(parameter: unknown, file: SpecFile): Demand | undefined {
    const place: unknown = childOf(parameter, 'in')
    const name: unknown = childOf(parameter, 'name')
    if (typeof name !== 'string' || childOf(parameter, 'required') !== true) return undefined
    if (place !== 'path' && place !== 'query' && place !== 'header') return undefined
    if (place === 'header' && IGNORED_HEADERS.has(name.toLowerCase())) return undefined
    const schema = this.follow(childOf(parameter, 'schema'), file).value
    // Its members are named in the query, and not the parameter itself.
    if (childOf(schema, 'type') === 'object' || childOf(parameter, 'style') === 'deepObject') return undefined
    // `?acl` alone is as good as `?acl=true`.
    const isFlag = childOf(parameter, 'allowEmptyValue') === true
    const value = isFlag ? undefined : toOnlyValue(schema)
    return { place, name: place === 'header' ? name.toLowerCase() : name, value }
  }

  private follow(value: unknown, file: SpecFile): Pick<Located, 'value' | 'file'> {
    let at: Pick<Located, 'value' | 'file'> = { value, file }
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const reference = childOf(at.value, '$ref')
      if (typeof reference !== 'string') return at
      try {
        at = this.references.follow(reference, at.file)
      } catch (error) {
        if (!(error instanceof ReferenceFault)) throw error
        return { value: undefined, file }
      }
    }
    return { value: undefined, file }
  }
}

function toOnlyValue(schema: unknown): string | undefined {
  const choices: unknown = childOf(schema, 'enum')
  const only: unknown = Array.isArray(choices) && choices.length === 1 ? choices[0] : childOf(schema, 'const')
  if (typeof only === 'string') return only
  return typeof only === 'number' || typeof only === 'boolean' ? String(only) : undefined
}

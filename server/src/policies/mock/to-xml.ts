/** JSON values as XML, by what OpenAPI says of names, attributes and wrapped lists (3.1 §4.8.26). */
import { isJsonList, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts'
import { SchemaReader } from './generate/flat-schema.ts'
import { propertySchema, type Facts } from './generate/merge-schemas.ts'

const NAME = /^[A-Za-z_][\w.-]*$/
const MAX_DEPTH = 60

export function toXml(value: JsonValue, schema: JsonValue, components: JsonObject): string {
  const writer = new XmlWriter(new SchemaReader(components))
  return `<?xml version="1.0" encoding="UTF-8"?>\n${writer.write(value, schema, 'root', 0)}`
}

class XmlWriter {
  private readonly reader: SchemaReader

  constructor(reader: SchemaReader) {
    this.reader = reader
  }

  /** The element; `fallback` is its name when the schema does not say one. */
  write(value: JsonValue, schema: JsonValue, fallback: string, depth: number): string {
    if (depth > MAX_DEPTH) return ''
    const facts = this.reader.flatten(schema)?.facts ?? {}
    const name = nameOf(facts, fallback)
    if (isJsonList(value)) return this.writeList(value, facts, name, fallback, depth)
    const { namespace } = xmlOf(facts)
    const space = typeof namespace === 'string' ? ` xmlns="${escape(namespace)}"` : ''
    if (!isJsonObject(value)) return `<${name}${space}>${escape(toText(value))}</${name}>`
    const members = Object.entries(value).map(([key, each]) => ({ key, each, schema: propertySchema(facts, key) }))
    const isAttribute = (member: JsonValue): boolean =>
      xmlOf(this.reader.flatten(member)?.facts ?? {})['attribute'] === true
    const attributes = members
      .filter((member) => isAttribute(member.schema))
      .map(({ key, each, schema: own }) => {
        return ` ${nameOf(this.reader.flatten(own)?.facts ?? {}, key)}="${escape(toText(each))}"`
      })
    const elements = members
      .filter((member) => !isAttribute(member.schema))
      .map(({ key, each, schema: own }) => this.write(each, own, key, depth + 1))
    return `<${name}${space}${attributes.join('')}>${elements.join('')}</${name}>`
  }

  /** Items stand one after the other under the name of the list, or wrapped under their own. */
  private writeList(list: readonly JsonValue[], facts: Facts, name: string, key: string, depth: number): string {
    const { items = true } = facts
    const isWrapped = xmlOf(facts)['wrapped'] === true
    const all = list.map((item) => this.write(item, items, isWrapped ? key : name, depth + 1)).join('')
    return isWrapped || depth === 0 ? `<${name}>${all}</${name}>` : all
  }
}

function xmlOf({ xml }: Facts): JsonObject {
  return isJsonObject(xml) ? xml : {}
}

function nameOf(facts: Facts, fallback: string): string {
  const { name } = xmlOf(facts)
  if (typeof name === 'string' && NAME.test(name)) return name
  return NAME.test(fallback) ? fallback : 'item'
}

function toText(value: JsonValue): string {
  if (value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function escape(text: string): string {
  // What XML 1.0 (§2.2) has no characters for is left out.
  const clean = text.replaceAll(/[\0-\x08\x0B\x0C\x0E-\x1F\uD800-\uDFFF\uFFFE\uFFFF]/g, '')
  return clean.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

import { isJsonList, isJsonObject, type JsonObject, type JsonValue } from '../../../kernel/json.ts'
import { both, propertySchema, type Facts } from './merge-schemas.ts'
import type { Spot, ValueGenerator } from './value-generator.ts'

/** Further properties that are tried for when a schema asks for more than it names. */
const MAX_FURTHER = 200

/** An object with what is required and, where there is room, what is optional; undefined when there is none. */
export function generateObject(facts: Facts, spot: Spot, generator: ValueGenerator): JsonObject | undefined {
  const most = toCount(facts['maxProperties'], Infinity)
  const least = toCount(facts['minProperties'], 0)
  const object: Record<string, JsonValue> = {}
  const add = (name: string, schema: JsonValue): boolean => {
    if (Object.hasOwn(object, name) || generator.matcher.isWriteOnly(schema)) return true
    const value = generator.generate(schema, { name, depth: spot.depth + 1, lean: false })
    if (value !== undefined) Object.defineProperty(object, name, { value, enumerable: true })
    return value !== undefined
  }
  for (const name of namesOf(facts['required'])) if (!add(name, propertySchema(facts, name))) return undefined
  const { properties, dependentSchemas } = facts
  // A property that brings a further schema with it is left out where it may be.
  const simple = isJsonObject(dependentSchemas) ? dependentSchemas : {}
  const optional = isJsonObject(properties)
    ? Object.keys(properties).filter((name) => !Object.hasOwn(simple, name))
    : []
  for (const name of optional) {
    const count = Object.keys(object).length
    if (count >= most || (generator.isScarce(spot) && count >= least)) break
    add(name, propertySchema(facts, name))
  }
  addDependent(facts, object, add)
  addFurther(facts, object, spot, generator, add)
  return object
}

type Add = (name: string, schema: JsonValue) => boolean

function addDependent(facts: Facts, object: JsonObject, add: Add): void {
  const { dependentRequired } = facts
  if (!isJsonObject(dependentRequired)) return
  // Each round may bring in what others depend on; more rounds than names bring nothing new.
  for (let round = 0; round < Object.keys(dependentRequired).length; round++) {
    for (const [name, names] of Object.entries(dependentRequired)) {
      if (Object.hasOwn(object, name)) for (const each of namesOf(names)) add(each, propertySchema(facts, each))
    }
  }
}

/** Properties that the schema does not name: those that it describes by pattern or as additional, or wants for number. */
function addFurther(facts: Facts, object: JsonObject, spot: Spot, generator: ValueGenerator, add: Add): void {
  const { additionalProperties, patternProperties, propertyNames } = facts
  const [[pattern, ofPattern] = []] = isJsonObject(patternProperties) ? Object.entries(patternProperties) : []
  const isMap = ofPattern !== undefined || (isJsonObject(additionalProperties) && !isBare(additionalProperties))
  const wanted = isMap && !generator.isScarce(spot) && Object.keys(object).length === 0 ? 2 : 0
  const goal = Math.min(
    Math.max(toCount(facts['minProperties'], 0), wanted),
    toCount(facts['maxProperties'], Infinity),
    MAX_FURTHER,
  )
  const named: JsonValue = pattern === undefined ? { type: 'string' } : { type: 'string', pattern }
  const names = both(named, propertyNames ?? true)
  for (let tries = 0; tries < 2 * goal && Object.keys(object).length < goal; tries++) {
    const name = generator.generate(names, { name: '', depth: spot.depth + 1, lean: true })
    if (typeof name !== 'string') return
    const unique = Object.hasOwn(object, name) && pattern === undefined ? `${name}${tries}` : name
    if (!add(unique, propertySchema(facts, unique))) return
  }
}

function isBare(schema: JsonObject): boolean {
  return Object.keys(schema).length === 0
}

function namesOf(value: JsonValue | undefined): string[] {
  return isJsonList(value) ? value.filter((each) => typeof each === 'string') : []
}

function toCount(value: JsonValue | undefined, fallback: number): number {
  return typeof value === 'number' ? value : fallback
}

import { isJsonList, type JsonValue } from '../../../kernel/json.ts'
import { both, type Facts } from './merge-schemas.ts'
import { hasTwins } from './schema-matcher.ts'
import type { Spot, ValueGenerator } from './value-generator.ts'

/** The longest list that is made because a schema asks for no less. */
const MAX_ITEMS = 1_000
const USUAL_ITEMS = 2
const TWIN_TRIES = 20

/** A short list; undefined when there is none. */
export function generateList(facts: Facts, spot: Spot, generator: ValueGenerator): readonly JsonValue[] | undefined {
  const { items = true, prefixItems, contains, minContains, maxItems } = facts
  const prefix = isJsonList(prefixItems) ? prefixItems : []
  const wanted = contains === undefined ? 0 : Math.max(typeof minContains === 'number' ? minContains : 1, 0)
  const least = Math.max(typeof facts['minItems'] === 'number' ? facts['minItems'] : 0, wanted)
  const most = typeof maxItems === 'number' ? maxItems : Infinity
  if (least > MAX_ITEMS || least > most) return undefined
  const usual = Math.max(prefix.length, generator.random.whole(1, USUAL_ITEMS))
  const count = generator.isScarce(spot) ? least : Math.min(most, Math.max(least, usual))
  const list: JsonValue[] = []
  for (let at = 0; at < count; at++) {
    const schema = both(prefix[at] ?? items, at < wanted ? (contains ?? true) : true)
    const item = generateItem(schema, list, facts['uniqueItems'] === true, spot, generator)
    if (item === undefined) return at >= least ? list : undefined
    list.push(item)
  }
  return list
}

function generateItem(
  schema: JsonValue,
  list: readonly JsonValue[],
  isUnique: boolean,
  { name, depth }: Spot,
  generator: ValueGenerator,
): JsonValue | undefined {
  for (let tries = 0; tries < TWIN_TRIES; tries++) {
    const item = generator.generate(schema, { name, depth: depth + 1, lean: false })
    if (item === undefined || !isUnique || !hasTwins([...list, item])) return item
  }
  return undefined
}

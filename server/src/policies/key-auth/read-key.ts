/** Finds the API key of a request, wherever it may stand, and takes it away again. */
import type { ExchangeRequest } from '../../kernel/exchange.ts'
import type { Fields } from '../../kernel/fields.ts'
import { queryValues, withoutQueryName } from '../../kernel/query.ts'

export interface KeyPlaces {
  readonly header: string
  readonly scheme?: string | undefined
  readonly query?: string | undefined
}

export interface KeyReader {
  /** Where a key may stand, in words for the caller. */
  readonly places: readonly string[]
  /** The key, AMBIGUOUS when there are different ones, undefined when there is none. */
  read(request: ExchangeRequest): string | typeof AMBIGUOUS | undefined
  /** Takes the key away from every place where it stands. */
  remove(request: ExchangeRequest): void
}

/** Whoever looks at another of the keys than we do would see another caller, so none of them counts. */
export const AMBIGUOUS: unique symbol = Symbol('ambiguous')

export function createKeyReader({ header, scheme, query }: KeyPlaces): KeyReader {
  const prefix = scheme === undefined ? undefined : `${scheme.toLowerCase()} `
  const places = [
    `the \`${header}\` header`,
    ...(scheme === undefined ? [] : [`\`authorization: ${scheme} <key>\``]),
    ...(query === undefined ? [] : [`the \`${query}\` query parameter`]),
  ]
  return {
    places,
    read(request) {
      let key = oneOf(undefined, valuesOf(request.fields, header))
      if (prefix !== undefined) key = oneOf(key, schemeValues(request.fields, prefix))
      if (query !== undefined) key = oneOf(key, queryValues(request.query, query))
      return key
    },
    remove(request) {
      request.fields.remove(header)
      // Another scheme's credentials are not ours to take away.
      if (prefix !== undefined && schemeValues(request.fields, prefix).length > 0)
        request.fields.remove('authorization')
      if (query !== undefined && request.query !== undefined) request.query = withoutQueryName(request.query, query)
    },
  }
}

type Found = string | typeof AMBIGUOUS | undefined

function oneOf(before: Found, keys: readonly string[]): Found {
  let found = before
  for (const key of keys) {
    if (key === '') continue
    if (found === undefined) found = key
    else if (found !== key) return AMBIGUOUS
  }
  return found
}

const NOTHING: readonly string[] = []

function valuesOf(fields: Fields, name: string): readonly string[] {
  const { names, values } = fields
  const at = names.indexOf(name)
  if (at === -1) return NOTHING
  if (names.indexOf(name, at + 1) === -1) return [values[at] ?? '']
  return values.filter((_, each) => names[each] === name)
}

/** Schemes are compared without case (RFC 9110 §11.1). */
function schemeValues(fields: Fields, prefix: string): readonly string[] {
  const values = valuesOf(fields, 'authorization')
  if (values === NOTHING) return values
  const ours = values.filter((value) => value.slice(0, prefix.length).toLowerCase() === prefix)
  return ours.map((value) => value.slice(prefix.length).trim())
}

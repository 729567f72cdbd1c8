/** The answers that an OpenAPI operation describes (3.1 §4.8.16), read once per route. */
import { isFieldValue } from '../../kernel/field-syntax.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts'
import { toEssence } from './negotiate.ts'

export interface DescribedAnswer {
  /** `200`, `4XX` or `default`. */
  readonly key: string
  readonly types: readonly DescribedType[]
  readonly headers: readonly DescribedHeader[]
}

export interface DescribedType {
  /** As the answer says it; a concrete one where the document has a range. */
  readonly contentType: string
  readonly essence: string
  /** Undefined when the document has none. */
  readonly schema: JsonValue | undefined
  /** Values of examples by name; that of a single `example` has none. */
  readonly examples: ReadonlyMap<string, JsonValue>
}

export interface DescribedHeader {
  readonly name: string
  readonly schema: JsonValue
  readonly example: JsonValue | undefined
}

/** Name of the example of a document that has one only; no name of a list can be empty. */
export const THE_EXAMPLE = ''

const MEDIA_TYPE = /^[!#$%&'*+.^_`|~\w-]+\/[!#$%&'*+.^_`|~\w-]+\s*(?:;.*)?$/

export function readAnswers(operation: JsonObject): DescribedAnswer[] {
  return entriesOf(operation['responses'])
    .filter(([key]) => /^(?:[2-5]\d\d|[2-5]XX|default)$/i.test(key))
    .map(([key, answer]) => ({
      key: key.toLowerCase(),
      types: entriesOf(answer['content']).flatMap(([type, media]) => readType(type, media)),
      headers: entriesOf(answer['headers']).map(([name, header]) => readHeader(name.toLowerCase(), header)),
    }))
}

function readType(written: string, media: JsonObject): DescribedType[] {
  const contentType =
    MEDIA_TYPE.test(written) && isFieldValue(written) ? toConcrete(written) : 'application/octet-stream'
  return [{ contentType, essence: toEssence(contentType), schema: media['schema'], examples: readExamples(media) }]
}

/** A range stands for one of its types: the one that is most likely meant. */
function toConcrete(written: string): string {
  const [type, subtype] = toEssence(written).split('/')
  if (subtype !== '*') return written
  const likely: Readonly<Record<string, string>> = {
    '*': 'application/json',
    application: 'application/json',
    text: 'text/plain',
    image: 'image/png',
    audio: 'audio/mpeg',
    video: 'video/mp4',
  }
  return likely[type ?? ''] ?? 'application/octet-stream'
}

function readExamples({ example, examples }: JsonObject): Map<string, JsonValue> {
  const named = new Map<string, JsonValue>(example === undefined ? [] : [[THE_EXAMPLE, example]])
  for (const [name, each] of entriesOf(examples)) if (each['value'] !== undefined) named.set(name, each['value'])
  return named
}

function readHeader(name: string, header: JsonObject): DescribedHeader {
  const [[, media] = []] = entriesOf(header['content'])
  const examples = [...readExamples(header).values(), ...readExamples(media ?? {}).values()]
  return { name, schema: header['schema'] ?? media?.['schema'] ?? true, example: examples[0] }
}

function entriesOf(value: JsonValue | undefined): [string, JsonObject][] {
  if (!isJsonObject(value)) return []
  return Object.entries(value).flatMap(([key, each]): [string, JsonObject][] =>
    isJsonObject(each) ? [[key, each]] : [],
  )
}

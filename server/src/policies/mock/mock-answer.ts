/** Puts one answer together: which of those described, in which media type, from which example or made up. */
import { isFieldValue, whyUnchangeable } from '../../kernel/field-syntax.ts'
import { Fields } from '../../kernel/fields.ts'
import { isJsonList, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts'
import { Random } from './generate/random.ts'
import { ValueGenerator } from './generate/value-generator.ts'
import { echoTexts } from './echo-texts.ts'
import { isJsonType } from './negotiate.ts'
import { THE_EXAMPLE, type DescribedAnswer, type DescribedHeader, type DescribedType } from './operation-answers.ts'
import { toXml } from './to-xml.ts'

export interface Wishes {
  readonly example: string | undefined
  /** Made up, whatever examples there are. */
  readonly dynamic: boolean
  readonly seed: number
  /** Texts of the request that show in properties of the same name. */
  readonly echoed: ReadonlyMap<string, string>
}

/**
 * Fields that the answer gets elsewhere: the type from the media types (OpenAPI 3.1 §4.8.17), and how the body is coded,
 * which no document can know.
 */
const ownFields = new Set(['content-type', 'content-encoding', 'content-range'])

/** Seeds that are tried until a value fulfils its schema. */
const MAX_TRIES = 4

/** The answer for a status: its own, that of its hundred, or the one by default. */
export function findAnswer(answers: readonly DescribedAnswer[], status: number): DescribedAnswer | undefined {
  const keys = [`${status}`, `${Math.floor(status / 100)}xx`, 'default']
  return keys.map((key) => answers.find((answer) => answer.key === key)).find((answer) => answer !== undefined)
}

/** The status that is answered when none is asked for: the first that means success. */
export function toUsualStatus(answers: readonly DescribedAnswer[]): number {
  const keys = answers.map(({ key }) => key).toSorted()
  const success = keys.find((key) => key.startsWith('2'))
  const usual = success ?? (keys.includes('default') ? '200' : keys[0])
  return usual === undefined ? 200 : Number(usual.replace('xx', '00'))
}

export class AnswerMaker {
  private readonly components: JsonObject

  /** `components` are the schemas that references of the operation lead to. */
  constructor(components: JsonObject) {
    this.components = components
  }

  /** The text of the body. */
  makeBody(type: DescribedType, wishes: Wishes): string {
    const value = this.makeValue(type, wishes)
    if (isJsonType(type.essence)) return JSON.stringify(value)
    // An example of another type is mostly the text as it is.
    if (typeof value === 'string') return value
    if (/[/+]xml$/.test(type.essence)) return toXml(value, type.schema ?? true, this.components)
    if (type.essence === 'text/event-stream') return `data: ${JSON.stringify(value)}\n\n`
    if (type.essence === 'application/x-www-form-urlencoded' && isJsonObject(value)) return toForm(value)
    return JSON.stringify(value)
  }

  makeHeaders(headers: readonly DescribedHeader[], wishes: Wishes): Fields {
    const fields = new Fields()
    for (const { name, schema, example } of headers) {
      if (ownFields.has(name) || whyUnchangeable(name, 'response') !== undefined) continue
      const generator = this.createGenerator(wishes, 0)
      const isUsable = !wishes.dynamic && example !== undefined && generator.matcher.matches(schema, example)
      const text = toFieldText(isUsable ? example : generator.generate(schema))
      if (text !== undefined && /^[!#$%&'*+.^_`|~\w-]+$/.test(name) && isFieldValue(text)) fields.append(name, text)
    }
    return fields
  }

  private makeValue({ schema = true, examples, essence }: DescribedType, wishes: Wishes): JsonValue {
    const named = wishes.example === undefined ? undefined : examples.get(wishes.example)
    // Who names an example gets it, right or wrong.
    if (named !== undefined) return named
    const usual = wishes.dynamic ? undefined : this.findExample(examples, schema, isJsonType(essence))
    const value = usual ?? this.generate(schema, wishes)
    if (wishes.echoed.size === 0) return value
    const echoing = echoTexts(value, wishes.echoed)
    return this.createGenerator(wishes, 0).matcher.matches(schema, echoing) ? echoing : value
  }

  /** The first example that fulfils the schema: an answer that contradicts its description helps nobody. */
  private findExample(
    examples: ReadonlyMap<string, JsonValue>,
    schema: JsonValue,
    isJson: boolean,
  ): JsonValue | undefined {
    const { matcher } = new ValueGenerator(this.components, new Random(0), false)
    // Examples of other media types may be their text, which no schema describes.
    return [...examples.values()].find((each) => (!isJson && typeof each === 'string') || matcher.matches(schema, each))
  }

  private generate(schema: JsonValue, wishes: Wishes): JsonValue {
    let last: JsonValue | undefined
    for (let turn = 0; turn < MAX_TRIES; turn++) {
      const generator = this.createGenerator(wishes, turn)
      const value = generator.generate(schema)
      if (value !== undefined && generator.matcher.matches(schema, value)) return value
      last ??= value
    }
    return last ?? null
  }

  private createGenerator({ seed, dynamic }: Wishes, turn: number): ValueGenerator {
    return new ValueGenerator(this.components, new Random(seed + turn), !dynamic)
  }
}

/** Whether an example of that name is there to be asked for. */
export function hasExample({ examples }: DescribedType, name: string): boolean {
  return name !== THE_EXAMPLE && examples.has(name)
}

/** The style `simple` (OpenAPI 3.1 §4.8.12.2), which is the one of headers. */
function toFieldText(value: JsonValue | undefined): string | undefined {
  if (isJsonList(value)) return value.map(String).join(',')
  if (isJsonObject(value)) return Object.entries(value).flat().map(String).join(',')
  return value === undefined || value === null ? undefined : String(value)
}

function toForm(value: JsonObject): string {
  const pairs = Object.entries(value).map(([name, each]): [string, string] => {
    return [name, typeof each === 'object' ? JSON.stringify(each) : String(each)]
  })
  return new URLSearchParams(pairs).toString()
}

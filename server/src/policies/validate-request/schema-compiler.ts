/**
 * Validators of schemas, made by Ajv. Each is compiled when the first request needs it, on the thread that serves it: a
 * snapshot has thousands of schemas of which a thread may see a few. Ajv itself is loaded when a snapshot with this policy
 * is set up: that takes 50 ms and some megabytes, which no request should wait for and no other gateway spend.
 */
import { createRequire } from 'node:module'
import type { Ajv2020, ErrorObject, _ as codeTag, Options } from 'ajv/dist/2020.js'
import type { FormatsPlugin } from 'ajv-formats'
import type { JsonObject, JsonValue } from '../../kernel/json.ts'
import { createBudgetedPattern, type BudgetedPattern } from './budgeted-pattern.ts'
import type { Pay } from './canonical-text.ts'
import { isObject } from './json-shape.ts'
import { StepBudget } from './step-budget.ts'
import { createListing } from './listed-values.ts'
import { hasTwins } from './unique-items.ts'
import { toErrors, type InputError } from './input-error.ts'

/** Gives what is wrong with a value; undefined when nothing is. Only with `all` it goes on after the first error. */
export type Validate = (value: JsonValue, all: boolean) => InputError[] | undefined

const require = createRequire(import.meta.url)

/** A keyword of our own; it passes every value. */
const COUNTED = 'headgateCounted'

export class SchemaCompiler {
  private readonly budget = new StepBudget()
  private readonly patterns = new Map<string, BudgetedPattern>()
  private readonly counted = new WeakMap<JsonObject, JsonObject>()
  private readonly first: Ajv2020
  private readonly all: Ajv2020

  constructor() {
    this.first = this.createAjv(false)
    this.all = this.createAjv(true)
  }

  /** Begins another request, with a body of so many bytes: what validating it may cost depends on them alone. */
  renew(bodyBytes: number): void {
    this.budget.renew(bodyBytes)
  }

  /** Compiles a schema for requests; the second validator, for all errors, only when something is wrong for once. */
  compile(schema: JsonValue, schemas: JsonObject): Validate {
    const root = {
      ...(isObject(schema) ? schema : { allOf: [schema] }),
      components: { schemas: this.toCounted(schemas) },
    }
    const first = this.first.compile(root)
    return (value, all) => {
      if (first(value)) return undefined
      if (!all) return toErrors(first.errors)
      // Ajv gives the same function for the same object.
      const every = this.all.compile(root)
      return every(value) ? undefined : toErrors(every.errors)
    }
  }

  private createAjv(allErrors: boolean): Ajv2020 {
    const regExp = Object.assign((source: string) => this.toPattern(source), { code: 'new RegExp' })
    const ajv = createAjv({ allErrors, code: { regExp } })
    this.replaceComparisons(ajv)
    return ajv.addKeyword({
      keyword: COUNTED,
      schemaType: 'boolean',
      validate: (_: boolean, value: JsonValue) => {
        this.budget.spendOn(value)
        return true
      },
    })
  }

  /** Ajv compares every item with every other one, and a value with all that an `enum` lists. */
  private replaceComparisons(ajv: Ajv2020): void {
    const pay: Pay = (chars) => this.budget.spendOnWriting(chars)
    const { code } = loadAjv()
    ajv.removeKeyword('uniqueItems').removeKeyword('enum')
    ajv.addKeyword({
      keyword: 'uniqueItems',
      type: 'array',
      schemaType: 'boolean',
      error: { message: 'must not have the same item twice' },
      validate: (wanted: boolean, items: readonly JsonValue[]) => !wanted || !hasTwins(items, pay),
    })
    ajv.addKeyword({
      keyword: 'enum',
      schemaType: 'array',
      errors: false,
      error: {
        message: 'must be one of the listed values',
        params: ({ schemaCode }) => code`{allowedValues: ${schemaCode}}`,
      },
      compile: (values: readonly JsonValue[]) => createListing(values, pay),
    })
  }

  private toPattern(source: string): BudgetedPattern {
    const pattern = this.patterns.get(source) ?? createBudgetedPattern(source, this.budget)
    this.patterns.set(source, pattern)
    return pattern
  }

  /** Only what references lead to can be applied without end, so that is where the budget is spent, before all else. */
  private toCounted(schemas: JsonObject): JsonObject {
    const known = this.counted.get(schemas)
    if (known !== undefined) return known
    const entries = Object.entries(schemas).map(
      ([name, schema]) => [name, { allOf: [{ [COUNTED]: true }, schema] }] as const,
    )
    const counted = Object.fromEntries(entries)
    this.counted.set(schemas, counted)
    return counted
  }
}

/** Says where a schema breaks the rules of JSON Schema 2020-12; for the check of a configuration. */
export class SchemaChecker {
  private readonly ajv = createAjv({ meta: true, allErrors: true })

  findFlaws(schema: JsonValue): readonly ErrorObject[] {
    if (typeof schema === 'boolean' || this.ajv.validateSchema({ ...(isObject(schema) ? schema : {}) }) === true)
      return []
    return this.ajv.errors ?? []
  }
}

interface Modules {
  readonly Ajv: new (options: Options) => Ajv2020
  readonly addFormats: FormatsPlugin
  /** What Ajv writes code with. */
  readonly code: typeof codeTag
}

/** Loads Ajv; a second time costs nothing. */
export function loadAjv(): Modules {
  // `createRequire` knows no types; these are those of the modules that it loads.
  const { Ajv2020: Ajv, _: code } = require('ajv/dist/2020.js') as { Ajv2020: Modules['Ajv']; _: Modules['code'] }
  return { Ajv, code, addFormats: require('ajv-formats') as FormatsPlugin }
}

function createAjv(options: Options): Ajv2020 {
  const { Ajv, addFormats } = loadAjv()
  const ajv = new Ajv({
    meta: false,
    // Schemas were checked where files are, with pointers; here only compiling is left.
    validateSchema: false,
    strict: false,
    strictNumbers: true,
    logger: false,
    // 0.3 is a multiple of 0.1 for everybody but binary fractions.
    multipleOfPrecision: 6,
    ...options,
  })
  addFormats(ajv)
  // The format `url` of ajv-formats takes time that grows with the square of the text; those of `uri` do not.
  ajv.addFormat('url', addFormats.get('uri'))
  return ajv
}

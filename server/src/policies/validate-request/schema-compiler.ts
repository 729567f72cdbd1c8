/**
 * Validators of schemas, made by Ajv. Each is compiled when the first request needs it, on the thread that serves it: a
 * snapshot has thousands of schemas of which a thread may see a few. Ajv itself is loaded then, too, because it takes
 * 50 ms and some megabytes that a gateway without this policy need not spend.
 */
import { createRequire } from 'node:module'
import type { Ajv2020, ErrorObject, Options } from 'ajv/dist/2020.js'
import type { FormatsPlugin } from 'ajv-formats'
import type { JsonObject, JsonValue } from '../../kernel/json.ts'
import { isObject } from './json-shape.ts'
import { PatternSet } from './safe-pattern.ts'
import { hasTwins } from './unique-items.ts'
import { toErrors, type InputError } from './input-error.ts'

/** Gives what is wrong with a value; undefined when nothing is. Only with `all` it goes on after the first error. */
export type Validate = (value: JsonValue, all: boolean) => InputError[] | undefined

const require = createRequire(import.meta.url)

export class SchemaCompiler {
  private readonly patterns = new PatternSet()
  private readonly first: Ajv2020
  private readonly all: Ajv2020

  constructor() {
    this.first = createAjv({ allErrors: false, code: { regExp: this.toRegExp() } })
    this.all = createAjv({ allErrors: true, code: { regExp: this.toRegExp() } })
  }

  /** Begins another request; see `PatternSet`. */
  renew(): void {
    this.patterns.renew()
  }

  /** Compiles a schema for requests; the second validator, for all errors, only when something is wrong for once. */
  compile(schema: JsonValue, components: JsonObject): Validate {
    const root = { ...(isObject(schema) ? schema : { allOf: [schema] }), components }
    const first = this.first.compile(root)
    return (value, all) => {
      if (first(value)) return undefined
      if (!all) return toErrors(first.errors)
      // Ajv gives the same function for the same object.
      const every = this.all.compile(root)
      return every(value) ? undefined : toErrors(every.errors)
    }
  }

  private toRegExp(): NonNullable<NonNullable<Options['code']>['regExp']> {
    return Object.assign((source: string) => this.patterns.compile(source), { code: 'new RegExp' })
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

function createAjv(options: Options): Ajv2020 {
  // `createRequire` knows no types; these are those of the modules that it loads.
  const { Ajv2020: Ajv } = require('ajv/dist/2020.js') as { Ajv2020: new (options: Options) => Ajv2020 }
  const addFormats = require('ajv-formats') as FormatsPlugin
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
  // Ajv compares every item with every other one.
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: { message: 'must not have the same item twice' },
    validate: (wanted: boolean, items: readonly JsonValue[]) => !wanted || !hasTwins(items),
  })
  return ajv
}

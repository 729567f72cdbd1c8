/** Holds requests against the OpenAPI operation of their route, so that an upstream sees what its document promises. */
import { z } from 'zod'
import type { Exchange } from '../../kernel/exchange.ts'
import { definePolicy, type PolicyInstance } from '../../kernel/policy.ts'
import { defineProblem, type Problem } from '../../kernel/problem.ts'
import type { RouteFacts } from '../../kernel/snapshot.ts'
import { OperationChecker } from './check-operation.ts'
import { MOST_ERRORS, type InputError } from './input-error.ts'
import { readOperation } from './operation.ts'
import { createReporter } from './report-mode.ts'
import { RequestValidator } from './request-validator.ts'
import { loadAjv, SchemaCompiler } from './schema-compiler.ts'
import { StepsExhausted } from './step-budget.ts'

const invalid = defineProblem({
  code: 'validate_request.invalid',
  status: 400,
  title: 'Request does not match its description',
  blame: 'caller',
  remedy:
    "`errors` says where the request differs from the API's OpenAPI document: `/query/limit` is the query parameter `limit`, `/body/title` the member `title` of the body. Mend these places and send it again.",
})

const malformedJson = defineProblem({
  code: 'validate_request.malformed_json',
  status: 400,
  title: 'Malformed JSON',
  blame: 'caller',
  remedy:
    '`detail` says at which line and column the body is no JSON (RFC 8259), or not such as all parsers read alike: no name may stand twice in one object, and the nesting is bounded.',
})

const unsupportedMediaType = defineProblem({
  code: 'validate_request.unsupported_media_type',
  status: 415,
  title: 'Unsupported media type',
  blame: 'caller',
  remedy: 'Send the body as one of the media types that `Accept` of the answer names; JSON is UTF-8 only.',
})

const tooComplex = defineProblem({
  code: 'validate_request.too_complex',
  status: 400,
  title: 'Request takes too long to validate',
  blame: 'caller',
  remedy:
    'Send less at once: the JSON body has more values or names than `maxValues` and `maxNames` of the policy allow, or the schema leaves so many ways of reading it that trying them exceeds a bound. Then shorter texts and less nesting help; an operator can give texts a `maxLength`, and alternatives a property that tells them apart and stands first.',
})

/** Flaws of documents that one check of a configuration tells. */
const MOST_FLAWS = 20
const MEBIBYTE = 1_048_576

export const validateRequest = definePolicy({
  kind: 'validate-request',
  title: 'Validate request',
  summary: "Refuses requests that differ from the API's OpenAPI document.",
  stability: 'stable',
  usesOperation: true,
  config: z.strictObject({
    mode: z.enum(['enforce', 'report']).default('enforce').meta({
      title: 'Mode',
      description: '`report` lets every request pass and only logs, at most a line in ten seconds.',
    }),
    maxBodyBytes: z
      .int()
      .min(1)
      .max(64 * MEBIBYTE)
      .default(MEBIBYTE)
      .meta({ title: 'Largest body', description: 'JSON bodies beyond it are answered with 413.', unit: 'bytes' }),
    maxDepth: z
      .int()
      .min(1)
      .max(500)
      .default(64)
      .meta({ title: 'Deepest nesting', description: 'Objects and arrays inside each other in a JSON body.' }),
    maxValues: z
      .int()
      .min(1)
      .max(100_000_000)
      .default(200_000)
      .meta({ title: 'Most values', description: 'Objects, arrays and what stands in them, in a JSON body.' }),
    maxNames: z.int().min(1).max(100_000_000).default(10_000).meta({
      title: 'Most names',
      description:
        'Names of members in a JSON body; those of objects with the same names in the same order count once.',
    }),
    unknownQueryParameters: z.enum(['allow', 'refuse']).default('allow').meta({
      title: 'Unknown query parameters',
      description: 'What becomes of those that the operation does not have.',
    }),
    readOnlyProperties: z.enum(['allow', 'refuse']).default('allow').meta({
      title: 'Read-only properties',
      description: 'What becomes of a request that sends them; never required.',
    }),
    unknownKeywords: z.enum(['refuse', 'ignore']).default('refuse').meta({
      title: 'Unknown keywords',
      description: 'Whether a schema with a keyword that has no meaning refuses the configuration.',
    }),
  }),
  examples: [
    { title: 'Everything that the document says, and nothing else', config: { unknownQueryParameters: 'refuse' } },
    { title: 'First look what would be refused', config: { mode: 'report' } },
  ],
  problems: [invalid, malformedJson, unsupportedMediaType, tooComplex],

  check(config, check) {
    let checker: OperationChecker | undefined
    let left = MOST_FLAWS
    for (const { id, operation } of check.routes) {
      if (operation === undefined) continue
      checker ??= new OperationChecker(config)
      for (const flaw of checker.findFlaws(operation)) {
        if (left-- > 0) check.report([], `cannot validate requests of ${id}: ${flaw}`)
      }
    }
  },

  setup(config, services): PolicyInstance {
    loadAjv()
    const validators = new WeakMap<RouteFacts, RequestValidator>()
    let compiler: SchemaCompiler | undefined
    const validatorOf = ({ route }: Exchange): RequestValidator | undefined => {
      if (route?.operation === undefined) return undefined
      const known = validators.get(route)
      if (known !== undefined) return known
      compiler ??= new SchemaCompiler()
      const validator = new RequestValidator(readOperation(route.operation, config), compiler, config)
      validators.set(route, validator)
      return validator
    }
    const judge = (exchange: Exchange): Problem | undefined => {
      try {
        const validator = validatorOf(exchange)
        compiler?.renew(exchange.request.content?.length ?? 0)
        return validator && findProblem(validator, exchange)
      } catch (cause) {
        if (cause instanceof StepsExhausted) return tooComplex()
        throw cause
      }
    }
    const requestBody = {
      limitBytes: config.maxBodyBytes,
      wants: (exchange: Exchange) => validatorOf(exchange)?.wantsBody(exchange.request) === true,
    }
    return config.mode === 'enforce' ? { requestBody, request: judge } : createReporter(requestBody, judge, services)
  },
})

function findProblem(validator: RequestValidator, exchange: Exchange): Problem | undefined {
  const body = validator.validateBody(exchange.request)
  if ('unsupported' in body) return unsupportedMediaType({ headers: { accept: body.unsupported.join(', ') } })
  if ('excess' in body) return tooComplex({ detail: `The JSON body is too complex: ${body.excess}.` })
  if ('malformed' in body) {
    const { reason, line, column } = body.malformed
    return malformedJson({ detail: `The body is no JSON at line ${line}, column ${column}: ${reason}.` })
  }
  const errors = [...validator.validateParameters(exchange), ...body]
  return errors.length === 0 ? undefined : toInvalid(errors)
}

function toInvalid(errors: readonly InputError[]): Problem {
  const [first] = errors
  const detail =
    errors.length === 1 && first !== undefined
      ? `${first.pointer} ${first.detail}.`
      : errors.length > MOST_ERRORS
        ? `The request has more errors than these first ${MOST_ERRORS}.`
        : `The request has ${errors.length} errors.`
  return invalid({ detail, errors: errors.slice(0, MOST_ERRORS) })
}

/** What is wrong with a request, told so that the caller finds it: with a pointer, and without repeating values. */
import type { ErrorObject } from 'ajv/dist/2020.js'
import { toStep } from './json-shape.ts'

export interface InputError {
  /** JSON pointer into the request: `/body/title`, `/query/limit`. */
  readonly pointer: string
  readonly detail: string
}

const MAX_POINTER_CHARS = 200
const MAX_DETAIL_CHARS = 200

/** What one answer tells. */
export const MOST_ERRORS = 20

/**
 * Errors of a validator, each place and message once, and no more than show that there are too many to be told: 16 KB of
 * empty objects lack what a schema requires a hundred thousand times. Their pointers begin at the value that was validated.
 */
export function toErrors(found: readonly ErrorObject[] | null | undefined): InputError[] {
  const errors = new Map<string, InputError>()
  for (const each of found ?? []) {
    if (errors.size > MOST_ERRORS) break
    const error = toError(each)
    errors.set(`${error.pointer} ${error.detail}`, error)
  }
  return [...errors.values()]
}

function toError({ instancePath, keyword, params, message = 'is not as described' }: ErrorObject): InputError {
  const below = (name: unknown): string => `${instancePath}/${toStep(String(name))}`
  switch (keyword) {
    case 'required':
      return { pointer: below(params['missingProperty']), detail: 'is required' }
    case 'additionalProperties':
      return { pointer: below(params['additionalProperty']), detail: 'is not known here' }
    case 'unevaluatedProperties':
      return { pointer: below(params['unevaluatedProperty']), detail: 'is not known here' }
    case 'propertyNames':
      return { pointer: below(params['propertyName']), detail: 'is not allowed as a name' }
    case 'false schema':
      return { pointer: instancePath, detail: 'must not be sent' }
    case 'type':
      return { pointer: instancePath, detail: `must be ${[params['type']].flat().join(' or ')}` }
    case 'enum':
      return { pointer: instancePath, detail: `must be one of ${toExpected(params['allowedValues'])}` }
    case 'const':
      return { pointer: instancePath, detail: `must be ${toExpected(params['allowedValue'])}` }
    default:
      return { pointer: instancePath, detail: message }
  }
}

/** As much of each as an answer tells: a list of thousands of values may be what thousands of places differ from. */
const expected = new WeakMap<object, string>()

function toExpected(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const text = expected.get(value) ?? shorten(JSON.stringify(value), MAX_DETAIL_CHARS)
  expected.set(value, text)
  return text
}

/** The error below a place of the request, cut to a length that an answer can carry many times. */
export function toPlacedError({ pointer, detail }: InputError, place: string): InputError {
  return { pointer: shorten(place + pointer, MAX_POINTER_CHARS), detail: shorten(detail, MAX_DETAIL_CHARS) }
}

function shorten(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1).toWellFormed()}…`
}

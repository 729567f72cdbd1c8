/** Values of the formats that JSON Schema 2020-12 (§7.3) and OpenAPI (its registry of formats) name. */
import type * as AjvFormats from 'ajv-formats/dist/formats.js'
import { loadWhenNeeded } from '../../../kernel/load-when-needed.ts'
import type { Random } from './random.ts'
import { toWord } from './words.ts'

const known = loadWhenNeeded<typeof AjvFormats>('ajv-formats/dist/formats.js')

/** A longer text is not looked at: no format is as long, and not every check is linear. */
const MAX_CHARS = 1000

/** Whether a text or number has a format; of an unknown one, every value does. */
export function hasFormat(format: string, value: string | number): boolean {
  const { fullFormats } = known()
  const definition = Object.hasOwn(fullFormats, format) ? Reflect.get(fullFormats, format) : undefined
  if (definition === undefined || definition === true) return true
  if (typeof value === 'string' && value.length > MAX_CHARS) return true
  if (definition instanceof RegExp) return typeof value !== 'string' || definition.test(value)
  if (typeof definition === 'function') return typeof value !== 'string' || definition(value) === true
  const { type = 'string', validate } = definition
  if (typeof value !== type) return true
  return validate instanceof RegExp ? validate.test(String(value)) : validate(value) === true
}

const EARLIEST_MS = Date.UTC(2020, 0, 1)
const LATEST_MS = Date.UTC(2030, 0, 1)

/** A text of a format; undefined when it is not known, so that any text has it. */
export function generateFormat(format: string, random: Random): string | undefined {
  const make = makers[format]
  return make?.(random)
}

const hex = (random: Random, digits: number): string =>
  Array.from({ length: digits }, () => random.whole(0, 15).toString(16)).join('')

const date = (random: Random): Date => new Date(Math.floor(random.whole(EARLIEST_MS, LATEST_MS) / 1000) * 1000)
const dateTime = (random: Random): string => date(random).toISOString().replace('.000', '')
const hostname = (random: Random): string => `${toWord(random)}.example.com`
const email = (random: Random): string => `${toWord(random)}@example.com`
const uri = (random: Random): string => `https://example.com/${toWord(random)}/${random.whole(1, 999)}`
const reference = (random: Random): string => `/${toWord(random)}/${random.whole(1, 999)}`
const base64 = (random: Random): string => Buffer.from(toWord(random)).toString('base64')

const makers: Readonly<Record<string, (random: Random) => string>> = {
  'date-time': dateTime,
  'iso-date-time': dateTime,
  date: (random) => dateTime(random).slice(0, 10),
  time: (random) => dateTime(random).slice(11),
  'iso-time': (random) => dateTime(random).slice(11),
  duration: (random) => `P${random.whole(1, 28)}D`,
  email,
  'idn-email': email,
  hostname,
  'idn-hostname': hostname,
  // Networks and addresses for documentation (RFC 5737, RFC 3849).
  ipv4: (random) => `192.0.2.${random.whole(1, 254)}`,
  ipv6: (random) => `2001:db8::${hex(random, 4)}`,
  uri,
  url: uri,
  iri: uri,
  'uri-reference': reference,
  'iri-reference': reference,
  'uri-template': (random) => `/${toWord(random)}/{id}`,
  uuid: (random) => `${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-a${hex(random, 3)}-${hex(random, 12)}`,
  'json-pointer': (random) => `/${toWord(random)}`,
  'json-pointer-uri-fragment': (random) => `#/${toWord(random)}`,
  'relative-json-pointer': (random) => `0/${toWord(random)}`,
  regex: (random) => `^${toWord(random)}$`,
  byte: base64,
  base64,
}

/** Formats that texts are made in. */
export const formatNames = Object.keys(makers)

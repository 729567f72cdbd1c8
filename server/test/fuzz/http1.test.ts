/**
 * Throws hostile connections at the parser for a few seconds and compares it with llhttp, the parser inside Node.
 * HEADGATE_FUZZ_SECONDS makes it longer, HEADGATE_FUZZ_SEED repeats a run.
 */
import { expect, test } from 'vitest'
import { isFieldValue, isToken } from '../../src/gateway/http1/grammar.ts'
import { RequestHead } from '../../src/gateway/http1/parse.ts'
import { Fields } from '../../src/kernel/fields.ts'
import { findBreaches } from '../conformance/compare.ts'
import { readWithLlhttp } from '../conformance/llhttp.ts'
import { MessageReader } from '../conformance/message-reader.ts'
import { toConnectionBytes, toPieces } from './http1-inputs.ts'
import { Random } from './random.ts'

const seconds = Number(process.env['HEADGATE_FUZZ_SECONDS'] ?? 2)
const firstSeed = Number(process.env['HEADGATE_FUZZ_SEED'] ?? Date.now() % 1_000_000_000)

/** The first breach that is found until the time is over, with the seed that repeats it; none when all is well. */
function fuzz(side: 'request' | 'response'): readonly string[] {
  const endMs = performance.now() + (1000 * seconds) / 2
  for (let seed = firstSeed; performance.now() < endMs; seed++) {
    const random = new Random(seed)
    const bytes = toConnectionBytes(random, side)
    const breaches = checkAgainstLlhttp(side, random, bytes)
    const bytesShown = JSON.stringify(bytes.toString('latin1'))
    if (breaches.length > 0) return [`HEADGATE_FUZZ_SEED=${seed}`, bytesShown, ...breaches]
  }
  return []
}

function checkAgainstLlhttp(side: 'request' | 'response', random: Random, bytes: Buffer): readonly string[] {
  const reader = new MessageReader({ side })
  reader.push(bytes)
  const theirs = readWithLlhttp([bytes], side)
  // llhttp refuses a head or trailers at their first flaw, Headgate at their end.
  if (theirs.error !== undefined && reader.state === 'open') reader.push(Buffer.from('\r\n\r\n'))
  return [...findBreaches(reader, theirs), ...checkHeads(reader), ...checkPieces(side, random, bytes, reader)]
}

/** What is accepted can be written again without a character that means something to HTTP. */
function checkHeads(reader: MessageReader): string[] {
  const wrong: string[] = []
  for (const { head, fields, trailers } of reader.messages) {
    for (const [name, value] of [...fields, ...trailers]) {
      if (!isToken(name) || name !== name.toLowerCase() || !isFieldValue(value))
        wrong.push(`the field ${name}: ${value}`)
      if (/^(connection|host|transfer-encoding|te|upgrade|keep-alive)$/.test(name)) wrong.push(`${name} is passed on`)
    }
    if (!(head instanceof RequestHead)) continue
    const target = head.query === undefined ? head.path : `${head.path}?${head.query}`
    if (!/^(\*|\/([\w\-.~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)$/.test(target)) wrong.push(`the target ${target}`)
    if (head.version === '1.1' && !/^([a-z0-9._~-]+|\[[0-9a-f:.]+\])$/.test(head.host))
      wrong.push(`the host ${head.host}`)
  }
  return wrong
}

/** However the network cuts the bytes, the same messages come out. */
function checkPieces(side: 'request' | 'response', random: Random, bytes: Buffer, whole: MessageReader): string[] {
  const reader = new MessageReader({ side })
  for (const piece of toPieces(random, bytes)) reader.push(piece)
  if (reader.state === 'open' && whole.state !== 'open') reader.push(Buffer.from('\r\n\r\n'))
  return toText(reader) === toText(whole) ? [] : ['in pieces the bytes give other messages']
}

/** Fields as what they say: whether they share it with others is not to be seen. */
function toText({ messages, state }: MessageReader): string {
  return JSON.stringify([messages, state], (_, value: unknown) =>
    value instanceof Fields ? [value.names, value.values, value.toLines()] : value,
  )
}

test('no request is accepted that llhttp refuses or reads in another way', () => {
  expect(fuzz('request')).toEqual([])
})

test('no response is accepted that llhttp refuses or reads in another way', () => {
  expect(fuzz('response')).toEqual([])
})

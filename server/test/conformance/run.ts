/**
 * `npm run conformance`: llhttp's own test cases through Headgate's parser.
 *
 * Each strict case is judged twice: as it stands, against the log that llhttp's authors wrote; and, since most cases
 * have no Host, once more with one added, against the llhttp inside Node. Nothing that llhttp refuses may be accepted,
 * and what both accept must be the same message. What only Headgate refuses is listed with its clause. Then each goes
 * over a socket to a whole gateway: what reaches its upstream, or its client, must be what the parser accepted.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { findBreaches } from './compare.ts'
import { readCases, type LlhttpCase } from './llhttp-cases.ts'
import { readWithLlhttp, type LlhttpResult } from './llhttp.ts'
import { ConformanceListener } from './listener.ts'
import { measureParser } from './measure-parser.ts'
import { MessageReader } from './message-reader.ts'
import { judgeRequests, judgeResponse } from './through-listener.ts'

const setting = process.env['HEADGATE_CONFORMANCE_DATA']
const folder = resolve(setting ?? join(import.meta.dirname, '../../../../shared/data/llhttp-tests'))

interface Verdict {
  readonly name: string
  readonly llhttp: string
  readonly headgate: string
  readonly reason: string
  readonly breaches: readonly string[]
  readonly stricter: boolean
}

function judge(
  name: string,
  bytes: Buffer,
  side: LlhttpCase['side'],
  skipBody: boolean,
  theirs: LlhttpResult,
): Verdict {
  const reader = new MessageReader({ side, requestMethod: skipBody ? 'HEAD' : 'GET' })
  // In a case that skips bodies, llhttp's log of requests is of a caller who does not read them: nothing to compare.
  reader.push(bytes)
  // llhttp refuses a head at its first flaw, Headgate at its end: a head that is cut off is ended here.
  if (theirs.error !== undefined && reader.isInHead) reader.push(Buffer.from('\r\n\r\n'))
  const refused = reader.state === 'refused'
  return {
    name,
    llhttp: theirs.error === undefined ? 'accepts' : 'refuses',
    headgate: refused ? `refuses, ${reader.problem?.definition.status}` : 'accepts',
    reason: reader.problem?.detail ?? '',
    breaches: skipBody && side === 'request' ? [] : findBreaches(reader, theirs),
    stricter: refused && theirs.error === undefined,
  }
}

/** The same bytes with a Host after every request line that has none. */
function withHost(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1')
  const pattern = /^([A-Z-]+ \S+ HTTP\/1\.[01]\r\n)(?!(?:[^\r\n]+\r\n)*host:)/gim
  return Buffer.from(text.replaceAll(pattern, '$1Host: conformance.test\r\n'), 'latin1')
}

function judgeCase(each: LlhttpCase): Verdict[] {
  const asGiven = judge(each.name, each.bytes, each.side, each.skipBody, {
    messages: [...each.messages],
    error: each.error,
    upgraded: each.upgraded,
  })
  const changed = each.side === 'request' ? withHost(each.bytes) : each.bytes
  if (changed.equals(each.bytes)) return [asGiven]
  const theirs = readWithLlhttp([changed], each.side, () => each.skipBody)
  return [asGiven, judge(`${each.name} (with a Host)`, changed, each.side, each.skipBody, theirs)]
}

async function judgeThroughListener(cases: readonly LlhttpCase[]): Promise<Verdict[]> {
  const listener = await ConformanceListener.start()
  const verdicts: Verdict[] = []
  for (const { name, side, bytes, skipBody, error } of cases) {
    // The preface of HTTP/2 belongs to another codec.
    if (bytes.toString('latin1').startsWith('PRI ')) continue
    const variants = side === 'request' ? [bytes, withHost(bytes)] : [bytes]
    for (const variant of variants) {
      const found =
        side === 'request'
          ? judgeRequests(listener, [variant])
          : judgeResponse(listener, variant, skipBody ? 'HEAD' : 'GET')
      const llhttp = error === undefined ? 'accepts' : 'refuses'
      verdicts.push({
        name: `${name} (over a socket)`,
        llhttp,
        headgate: '',
        reason: '',
        breaches: await found,
        stricter: false,
      })
    }
  }
  listener.close()
  return verdicts
}

function report(verdicts: readonly Verdict[], overSockets: readonly Verdict[], caseCount: number): void {
  const stricter = verdicts.filter((each) => each.stricter)
  const refusedByBoth = verdicts.filter((each) => each.llhttp === 'refuses').length
  const same = verdicts.length - stricter.length - refusedByBoth
  const broken = [...verdicts, ...overSockets].filter((each) => each.breaches.length > 0)
  console.log('Accepted by llhttp, refused by Headgate:\n')
  console.log('| case | answer | why |\n|---|---|---|')
  for (const { name, headgate, reason } of stricter) console.log(`| ${name} | ${headgate.slice(-3)} | ${reason} |`)
  console.log(`\n| ${caseCount} strict cases, ${verdicts.length} runs | |\n|---|---|`)
  console.log(`| accepted by both, with the same messages | ${same} |`)
  console.log(`| refused by llhttp | ${refusedByBoth} |`)
  console.log(`| refused by Headgate alone | ${stricter.length} |`)
  console.log(`| over a socket through a whole gateway | ${overSockets.length} |`)
  console.log(`| rules broken | ${broken.length} |`)
  for (const { name, breaches } of broken) console.error(`\nBROKEN ${name}\n  ${breaches.join('\n  ')}`)
  if (broken.length > 0) process.exitCode = 1
}

if (existsSync(join(folder, 'test/request'))) {
  const cases = readCases(folder)
  report(cases.flatMap(judgeCase), await judgeThroughListener(cases), cases.length)
} else {
  console.error(
    `There are no llhttp test cases in ${folder}. Clone https://github.com/nodejs/llhttp and set ` +
      'HEADGATE_CONFORMANCE_DATA to its folder.',
  )
  process.exitCode = 1
}

if (process.argv.includes('--measure')) measureParser()

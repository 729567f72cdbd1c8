/** llhttp, the parser inside Node, asked directly and synchronously: the oracle of the conformance run and the fuzzer. */
import httpCommon from 'node:_http_common'
import type { ExpectedMessage } from './llhttp-cases.ts'

const { HTTPParser, methods } = httpCommon
/** llhttp numbers this one behind the methods of RTSP, which the list leaves out. */
const queryMethod = 46

export interface LlhttpResult {
  readonly messages: ExpectedMessage[]
  readonly error: string | undefined
  readonly upgraded: boolean
}

/** Says of the answer with this status whether it has no body whatever its fields say, as after HEAD. */
export type SkipsBody = (status: number) => boolean

/** What llhttp in its strict mode makes of a connection's bytes. */
export function readWithLlhttp(
  pieces: readonly Buffer[],
  side: 'request' | 'response',
  skipsBody: SkipsBody = () => false,
): LlhttpResult {
  const messages: ExpectedMessage[] = []
  const parser = new HTTPParser()
  let upgraded = false
  let error: string | undefined
  parser.initialize(HTTPParser[side === 'request' ? 'REQUEST' : 'RESPONSE'] ?? 0, {}, 1 << 20, 0)
  let lines: string[] = []
  let urlStart = ''
  let headDone = false
  const on = (name: string, callback: (...details: never[]) => unknown): void => {
    parser[HTTPParser[name] ?? -1] = callback
  }
  on('kOnMessageBegin', () => {
    messages.push({ method: '', url: '', status: 0, fields: [], body: '', complete: false })
    lines = []
    urlStart = ''
    headDone = false
  })
  on('kOnHeaders', (more: string[], url: string) => {
    // Called when there are more than 32 fields, and for trailers, which are compared apart.
    if (!headDone) lines = [...lines, ...more]
    urlStart += url
  })
  on(
    'kOnHeadersComplete',
    (
      _major: number,
      _minor: number,
      all: string[] | undefined,
      method: number | undefined,
      url: string | undefined,
      status: number | undefined,
      _reason: string | undefined,
      isUpgrade: boolean,
    ) => {
      headDone = true
      upgraded = isUpgrade
      const message = messages.at(-1)
      if (message === undefined) return 0
      message.method = method === undefined ? '' : method === queryMethod ? 'QUERY' : (methods[method] ?? '')
      message.url = url ?? urlStart
      message.status = status ?? 0
      message.fields = toPairs(all ?? lines)
      return skipsBody(message.status) ? 1 : 0
    },
  )
  on('kOnBody', (bytes: Buffer) => {
    const message = messages.at(-1)
    if (message !== undefined) message.body += bytes.toString('latin1')
  })
  on('kOnMessageComplete', () => {
    const message = messages.at(-1)
    if (message !== undefined) message.complete = true
  })
  for (const piece of pieces) {
    const result = parser.execute(piece)
    if (typeof result !== 'number') {
      error = result.reason ?? result.message
      break
    }
    if (upgraded && messages.at(-1)?.complete === true) break
  }
  parser.free()
  return { messages, error, upgraded: upgraded && messages.at(-1)?.complete === true }
}

function toPairs(lines: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let i = 0; i + 1 < lines.length; i += 2) pairs.push([lines[i] ?? '', lines[i + 1] ?? ''])
  return pairs
}

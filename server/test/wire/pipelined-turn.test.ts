/** Many connections whose requests and answers meet in one turn of the event loop: each gets its own, in order. */
import { expect, test } from 'vitest'
import { Random } from '../fuzz/random.ts'
import { testGateway } from '../test-gateway.ts'
import { dial, type Wire } from './wire.ts'

const CONNECTIONS = 60
const ROUNDS = 6
const SIZES = [0, 1, 700, 16_000, 20_000, 32_600, 33_000, 90_000]
const WAYS = ['length', 'chunks', 'hints', 'ours'] as const

interface Asked {
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly way: (typeof WAYS)[number]
  readonly bytes: number
  /** What nobody else asks with. */
  readonly mark: string
}

function toAsked(random: Random, mark: string): Asked {
  return {
    method: random.pick(['GET', 'GET', 'HEAD', 'POST']),
    way: random.pick(WAYS),
    bytes: random.pick(SIZES),
    mark,
  }
}

function toText({ method, way, bytes, mark }: Asked): string {
  if (way === 'ours') return 'OPTIONS * HTTP/1.1\r\nhost: a.test\r\n\r\n'
  const body = method === 'POST' ? mark.repeat(1 + (bytes % 400)) : ''
  const length = method === 'POST' ? `content-length: ${body.length}\r\n` : ''
  return `${method} /${way}/${bytes}/${mark} HTTP/1.1\r\nhost: a.test\r\nx-mark: ${mark.slice(0, 2)}\r\n${length}\r\n${body}`
}

function toBody({ bytes, mark }: Pick<Asked, 'bytes' | 'mark'>): string {
  return `${mark};`.repeat(bytes).slice(0, bytes)
}

async function expectAnswer(wire: Wire, asked: Asked): Promise<void> {
  let answer = await wire.message({ bodyless: asked.method === 'HEAD' && asked.way !== 'ours' })
  if (answer.status === 103) answer = await wire.message({ bodyless: asked.method === 'HEAD' })
  if (asked.way === 'ours') return expect(answer.status).toBe(204)
  const { mark, method } = asked
  expect([answer.status, answer.fields['x-path'], answer.fields['x-mark']]).toEqual([200, mark, mark.slice(0, 2)])
  expect(answer.body === (method === 'HEAD' ? '' : toBody(asked))).toBe(true)
}

test('answers reach those who asked for them, in order and whole, however many are ready at once', async () => {
  const gateway = await testGateway({
    upstream: { connections: { maxPerTarget: 12, maxWaiting: 10_000 } },
    respond(request, response, body) {
      const [, way, bytes = '', mark = ''] = (request.url ?? '').split('/')
      const isOwn = request.method !== 'POST' || body === mark.repeat(1 + (Number(bytes) % 400))
      if (way === 'hints') response.writeEarlyHints({ link: '</a>; rel=preload' })
      const text = toBody({ bytes: Number(bytes), mark })
      response.writeHead(isOwn ? 200 : 500, {
        'x-path': mark,
        'x-mark': request.headers['x-mark'],
        ...(way === 'chunks' ? {} : { 'content-length': text.length }),
      })
      if (way === 'chunks') response.write(text.slice(0, 500))
      response.end(way === 'chunks' ? text.slice(500) : text)
    },
  })
  const random = new Random(20_261_122)
  const wires = await Promise.all(Array.from({ length: CONNECTIONS }, () => dial(gateway.port)))
  for (let round = 0; round < ROUNDS; round++) {
    const asked = wires.map((_, at) =>
      Array.from({ length: 1 + random.below(6) }, (__, each) =>
        toAsked(random, `${at % 7}${round % 2}-${at}-${round}-${each}`),
      ),
    )
    // Some read late, so that what is for them has to wait.
    const late = new Set(wires.filter(() => random.chance(0.3)))
    for (const wire of late) wire.socket.pause()
    wires.forEach((wire, at) => wire.send((asked[at] ?? []).map(toText).join('')))
    const read = async (wire: Wire, at: number): Promise<void> => {
      for (const each of asked[at] ?? []) await expectAnswer(wire, each)
    }
    const whole = wires.map((wire, at) => ({ wire, read: read(wire, at) }))
    await Promise.all(whole.filter(({ wire }) => !late.has(wire)).map((each) => each.read))
    for (const wire of late) wire.socket.resume()
    await Promise.all(whole.map((each) => each.read))
  }
  expect(wires.map(({ unread }) => unread).join('')).toBe('')
})

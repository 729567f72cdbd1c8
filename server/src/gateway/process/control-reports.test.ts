import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { captureLog, type CapturedLog } from '../../../test/captured-log.ts'
import { listenLocally } from '../../../test/local-server.ts'
import { ControlLink } from './control-link.ts'
import { ControlReports } from './control-reports.ts'

const refused = 'the control plane does not take the reports of this gateway; what they count is kept and told again'
const taken = 'the control plane takes the reports of this gateway again'

interface Answer {
  readonly status: number
  readonly body: string
}

interface Reporting {
  readonly captured: CapturedLog
  /** What becomes of reports from now on; resolves when `count` of them have met it. */
  readonly meet: (answer: Answer, count: number) => Promise<void>
  /** What the one part of the reports was told. */
  readonly told: ('taken' | 'lost')[]
}

/** Reports to a server that answers as the test says. */
async function startReporting(): Promise<Reporting> {
  let answer: Answer = { status: 200, body: '{}' }
  let met = (): void => undefined
  const port = await listenLocally(
    createServer((request, response) => {
      request.resume().once('end', () => {
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body)
      })
    }),
  )
  const captured = captureLog()
  const stopped = new AbortController()
  const link = new ControlLink({ urls: [`http://127.0.0.1:${port}`], token: 'a-token', stopped: stopped.signal })
  const reports = new ControlReports({ link, version: '1.0.0', log: captured.log, everyMs: 5 })
  onTestFinished(() => {
    reports.stop()
    stopped.abort()
  })
  const told: Reporting['told'] = []
  const hear = (what: 'taken' | 'lost') => () => {
    told.push(what)
    met()
  }
  const state = { version: 'a-root', refused: '', workers: 1, ready: true }
  reports.begin(() => state, [{ take: () => ({}), taken: hear('taken'), lost: hear('lost') }])
  const meet = async (next: Answer, count: number): Promise<void> => {
    answer = next
    // The first one may have been under way when the answer became another.
    for (let left = count + 1; left > 0; left--) await new Promise<void>((resolve) => (met = resolve))
  }
  return { captured, meet, told }
}

test('says once that control refuses its reports, and that it takes them again', async () => {
  const { captured, meet, told } = await startReporting()
  await meet({ status: 200, body: '{}' }, 1)
  await meet({ status: 422, body: '{"code":"input.invalid"}' }, 3)
  expect(told).toContain('lost')
  expect(captured.events.map(({ msg }) => msg)).toEqual([refused])
  expect(captured.events[0]).toMatchObject({
    err: { message: 'the control plane answers 422: {"code":"input.invalid"}' },
  })
  await meet({ status: 200, body: '{}' }, 1)
  await captured.next(taken)
  await meet({ status: 401, body: '{}' }, 2)
  expect(captured.events.map(({ msg }) => msg)).toEqual([refused, taken, refused])
})

test.each([
  ['that is not JSON', '<html>'],
  ['with what a report is not answered', '{"quotas":7}'],
])('says once that it gets an answer %s', async (_, body) => {
  const { captured, meet } = await startReporting()
  await meet({ status: 200, body }, 3)
  expect(captured.events.map(({ msg }) => msg)).toEqual([refused])
})

test('leaves it to others to say that control is away for a moment', async () => {
  const { captured, meet, told } = await startReporting()
  await meet({ status: 503, body: 'no process of control is there' }, 3)
  expect(told.at(-1)).toBe('lost')
  expect(captured.events).toEqual([])
})

test('says once that reports have long come to nothing, since control may answer all else', async () => {
  const { captured, meet } = await startReporting()
  await meet({ status: 500, body: '{"code":"internal.error"}' }, 40)
  expect(captured.events.map(({ msg }) => msg)).toEqual([refused])
  await meet({ status: 200, body: '{}' }, 1)
  await captured.next(taken)
  await meet({ status: 500, body: '{"code":"internal.error"}' }, 3)
  expect(captured.events.map(({ msg }) => msg)).toEqual([refused, taken])
})

import { expect, test } from 'vitest'
import { createLog, EventWriter } from './log.ts'

test('events are lost when nobody reads them, counted, and the next one that is read says how many', () => {
  const lines: string[] = []
  const stream = { writableLength: 0, write: (line: string) => void lines.push(line) }
  const events = new EventWriter(stream)
  const log = createLog('info', events)
  log.info('first')
  stream.writableLength = 1_048_576
  for (let event = 0; event < 3; event++) log.info('lost')
  stream.writableLength = 0
  log.warn({ route: 'a' }, 'next')
  expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    { msg: 'first', level: 30 },
    { msg: 'events were lost', level: 40, lines: 3 },
    { msg: 'next', level: 40, route: 'a' },
  ])
  expect(lines.every((line) => line.endsWith('}\n'))).toBe(true)
  expect(events.dropped).toBe(3)
})

import { expect, test } from 'vitest'
import type { Steps } from '../../config/steps.ts'
import { runInSlices } from './run-in-slices.ts'

/** Takes its step again and again until it is told to end. */
function* untilTold(isTold: () => boolean): Steps<string> {
  while (!isTold()) yield
  return 'ended'
}

test('others have their turn while the work goes on', async () => {
  let isTold = false
  setImmediate(() => {
    isTold = true
  })
  expect(
    await runInSlices(
      untilTold(() => isTold),
      60_000,
    ),
  ).toBe('ended')
})

test('work that finds no end is left', async () => {
  expect(
    await runInSlices(
      untilTold(() => false),
      1,
    ),
  ).toBeUndefined()
})

test('a fault in a step is the fault of the work', async () => {
  function* failing(): Steps<void> {
    yield
    throw new RangeError('too far')
  }
  await expect(runInSlices(failing(), 60_000)).rejects.toThrow('too far')
})

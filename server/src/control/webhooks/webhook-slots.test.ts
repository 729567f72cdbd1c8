import { expect, test } from 'vitest'
import { createWebhookSlots } from './webhook-slots.ts'

const hook = (workspace: string, name: string) => ({ workspace_id: workspace, webhook_id: `${workspace}/${name}` })

test('a place that becomes free goes to the workspace that holds the fewest', async () => {
  const slots = createWebhookSlots()
  const slow = ['a', 'b', 'c', 'd'].flatMap((workspace) => [hook(workspace, '1'), hook(workspace, '2')])
  const ends: (() => void)[] = []
  for (const each of slow) {
    for (let room = slots.room(each); room > 0; room--) {
      const { promise, resolve } = Promise.withResolvers<void>()
      slots.hold(each, `delivery-${ends.length}`, promise)
      ends.push(resolve)
    }
  }
  const honest = hook('honest', '1')
  expect([ends.length, slots.room(honest)]).toEqual([32, 0])
  ends[0]?.()
  await expect.poll(() => slots.ids().length).toBe(31)
  for (let tick = 0; tick < 9; tick++) expect(slots.order([...slow, honest])[0]).toBe(honest)
  expect(slots.room(honest)).toBe(1)
  for (const end of ends) end()
  await slots.idle()
  expect(slots.ids()).toEqual([])
})

test('one workspace never has all, however many webhooks it has', () => {
  const slots = createWebhookSlots()
  const forever = Promise.withResolvers<void>().promise
  let held = 0
  for (let index = 0; index < 100; index++) {
    const each = hook('a', `${index}`)
    for (let room = slots.room(each); room > 0; room--) slots.hold(each, `delivery-${held++}`, forever)
  }
  expect(held).toBe(8)
  expect(slots.room(hook('b', '1'))).toBe(4)
})

test('each of those that hold as many comes first in its turn', () => {
  const slots = createWebhookSlots()
  const hooks = [hook('a', '1'), hook('b', '1'), hook('c', '1')]
  const first = hooks.map(() => slots.order(hooks)[0])
  expect(new Set(first)).toEqual(new Set(hooks))
  expect(slots.order([])).toEqual([])
})

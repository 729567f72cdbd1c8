import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Roster, type RosterMember } from './roster.ts'

test('a roster holds what a set would, whoever comes and goes', () => {
  const step = fc.record({ who: fc.nat(9), leaves: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const people: RosterMember[] = Array.from({ length: 10 }, () => ({ seat: -1 }))
      const roster = new Roster<RosterMember>()
      const set = new Set<RosterMember>()
      for (const { who, leaves } of steps) {
        const person = people[who] ?? { seat: -1 }
        if (leaves) {
          roster.delete(person)
          set.delete(person)
        } else if (!set.has(person)) {
          roster.add(person)
          set.add(person)
        }
        const present = [...roster]
        expect([roster.size, present.length, new Set(present).size]).toEqual([set.size, set.size, set.size])
        expect(present.every((member) => set.has(member))).toBe(true)
      }
    }),
  )
})

test('whoever is visited may leave, and all others are visited once', () => {
  const people = Array.from({ length: 9 }, (_, id) => ({ seat: -1, id }))
  const roster = new Roster<{ seat: number; id: number }>()
  for (const person of people) roster.add(person)
  const visited: number[] = []
  for (const person of roster) {
    visited.push(person.id)
    if (person.id % 2 === 0) roster.delete(person)
  }
  expect(visited).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0])
  expect(roster.size).toBe(4)
  expect(new Set([...roster].map(({ id }) => id))).toEqual(new Set([1, 3, 5, 7]))
})

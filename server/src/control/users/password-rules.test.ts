import { expect, test } from 'vitest'
import { findWeakness } from './password-rules.ts'

const account = { email: 'rosalind.franklin@example.com', name: 'Rosalind Franklin' }

test.each([
  'password1234',
  'P@ssw0rd!2026',
  'Headgate-2026!',
  'aaaaaaaaaaaa',
  'abababababab',
  '1234567890123',
  'qwertyuiopasdfgh',
  'zyxwvutsrqpo',
  'Summer2026Summer',
  'Rosalind-Franklin1',
  'franklin123456',
  'adminadminadmin',
  'correcthorsebatterystaple',
])('%s is refused: everybody would try it', (text) => {
  expect(findWeakness(text, account)).toBeDefined()
})

test.each([
  'a marmot under the glacier',
  'Tr0ub4dor&3-xkcd',
  'kV9#mLq2wZx7',
  'grüne Wiesen im Juli',
  'mellem-rosa-kanin',
])('%s is taken', (text) => {
  expect(findWeakness(text, account)).toBeUndefined()
})

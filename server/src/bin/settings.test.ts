import { expect, test } from 'vitest'
import { controlSettings } from './control-settings.ts'
import { readSettings } from './settings.ts'

test('texts stay texts, and numbers and truth values are read as such', () => {
  const environment = {
    HEADGATE_ADMIN_TOKEN: '12345678901234567890',
    HEADGATE_ENVIRONMENT: '2026',
    HEADGATE_CONTROL_PORT: '9000',
    HEADGATE_WEBHOOK_PRIVATE: 'true',
  }
  expect(readSettings(controlSettings, {}, environment)).toMatchObject({
    adminToken: '12345678901234567890',
    environment: '2026',
    controlPort: 9000,
    webhookPrivate: true,
  })
})

test('a wrong one is told by the name under which it was given', () => {
  expect(() => readSettings(controlSettings, {}, { HEADGATE_ADMIN_TOKEN: 'short' })).toThrow(
    'HEADGATE_ADMIN_TOKEN is wrong: at least 16 characters.',
  )
  expect(() => readSettings(controlSettings, { controlPort: 'abc' }, {})).toThrow('--control-port is wrong')
})

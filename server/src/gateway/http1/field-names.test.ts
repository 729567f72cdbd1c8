import { describe, expect, test } from 'vitest'
import { ROLE_DISGUISED, ROLE_HOST, ROLE_ORDINARY, findName, isNominable, nameAt, roleAt } from './field-names.ts'

/** Finds a name as the parser does: in lower-case bytes, with their hash. */
function find(given: string): { name: string | undefined; role: number | undefined } {
  const name = given.toLowerCase()
  let hash = 0
  for (const character of name) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) | 0
  const slot = findName(Buffer.from(name), 0, name.length, hash)
  return { name: nameAt[slot], role: roleAt[slot] }
}

describe('field names', () => {
  test('come out in lower case, whatever case they have', () => {
    for (const name of ['Host', 'HOST', 'host']) expect(find(name)).toEqual({ name: 'host', role: ROLE_HOST })
    for (const name of ['X-Acme-Id', 'x-acme-id', 'X-ACME-ID'])
      expect(find(name)).toEqual({ name: 'x-acme-id', role: ROLE_ORDINARY })
  })

  test('stay right while thousands of invented ones push each other out', () => {
    const slots = nameAt.length
    for (let i = 0; i < 20_000; i++) {
      const name = `x-invented-${i}-${'y'.repeat(i % 80)}`
      expect(find(name)).toEqual({ name, role: ROLE_ORDINARY })
    }
    expect(nameAt.length).toBe(slots)
    expect(find('Content-Type').name).toBe('content-type')
    expect(find('Host').role).toBe(ROLE_HOST)
  })

  test('that imitate fields of framing and trust are known as such, long ones too', () => {
    for (const name of [
      'content_length',
      'Transfer_Encoding',
      'X_Forwarded-For',
      'x-real_ip',
      `x_forwarded_${'z'.repeat(90)}`,
    ]) {
      expect(find(name).role).toBe(ROLE_DISGUISED)
    }
    for (const name of ['api_key', 'x_acme', 'user_agent']) expect(find(name).role).toBe(ROLE_ORDINARY)
  })

  test('that everybody must see cannot be nominated, those of the connection and unknown ones can', () => {
    for (const name of ['authorization', 'host', 'content-length', 'x-forwarded-for', 'cookie'])
      expect(isNominable(name)).toBe(false)
    for (const name of ['te', 'keep-alive', 'http2-settings', 'transfer-encoding', 'x-mine'])
      expect(isNominable(name)).toBe(true)
  })
})

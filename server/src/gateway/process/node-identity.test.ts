import { linkSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readNodeIdentity, writeNodeIdentity } from './node-identity.ts'

const identity = { id: 'gateway_1', token: 'hg_node_1', environment: 'production', publicKey: 'a key' }

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-identity-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('an identity takes the place of the one before as a whole, which a crash in between leaves as it was', () => {
  const folder = makeFolder()
  const path = join(folder, 'node-identity.json')
  expect(readNodeIdentity(folder)).toBeUndefined()
  writeNodeIdentity(folder, identity)
  // What somebody has open, or a crash leaves, is never a file that is being written.
  linkSync(path, join(folder, 'before'))
  const changed = { ...identity, publicKey: 'another key', previousPublicKey: 'a key' }
  writeNodeIdentity(folder, changed)
  expect(readNodeIdentity(folder)).toEqual(changed)
  expect(JSON.parse(readFileSync(join(folder, 'before'), 'utf8'))).toEqual(identity)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a damaged identity is told with what to do', () => {
  const folder = makeFolder()
  writeFileSync(join(folder, 'node-identity.json'), '{"id": "gateway_1", "tok')
  expect(() => readNodeIdentity(folder)).toThrow('is damaged. Remove it, and join again')
})

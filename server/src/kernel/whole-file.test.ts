import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createFile, replaceFile } from './whole-file.ts'

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-whole-file-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('a file is replaced whole, and is its owner’s alone however open it was', () => {
  const path = join(makeFolder(), 'identity.json')
  writeFileSync(path, 'a longer text that was there before', { mode: 0o644 })
  const open = statSync(path)
  replaceFile(path, 'new')
  expect(readFileSync(path, 'utf8')).toBe('new')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  // Another file under the same name: whoever reads the old one reads all of it.
  expect(statSync(path).ino).not.toBe(open.ino)
})

test('folders that are missing are made, and nothing is left beside the file', () => {
  const folder = join(makeFolder(), 'a', 'b')
  createFile(join(folder, 'key'), 'secret')
  replaceFile(join(folder, 'key'), 'other')
  expect(readdirSync(folder)).toEqual(['key'])
  expect(statSync(folder).mode & 0o777).toBe(0o700)
})

test('a file that is there is not created again', () => {
  const folder = makeFolder()
  createFile(join(folder, 'key'), 'first')
  expect(() => createFile(join(folder, 'key'), 'second')).toThrow('EEXIST')
  expect(readFileSync(join(folder, 'key'), 'utf8')).toBe('first')
  expect(readdirSync(folder)).toEqual(['key'])
})

import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { SnapshotTree } from '../../kernel/snapshot-tree.ts'
import { SnapshotKeeper, type SignedRoot } from './kept-snapshot.ts'

function startFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-kept-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const open = (): SnapshotKeeper => new SnapshotKeeper(folder, join(folder, 'key', 'node.key'))
  return { open, path: join(folder, 'snapshot.sealed') }
}

/** A snapshot of so many lines, the first of which says `first`. */
function snapshotOf(first: string, count = 2_500): { signed: SignedRoot; lines: ReadonlyMap<string, string> } {
  const tree = new SnapshotTree()
  for (let at = 0; at < count; at++) tree.set(`routes/${at}`, JSON.stringify(at === 0 ? first : `route ${at}`))
  const signed = { environment: 'production', seq: 1, root: tree.root(), signature: 'any' }
  return { signed, lines: tree.toMap() }
}

test('what was written last is read, whether it was written whole or as changes', () => {
  const { open, path } = startFolder()
  const keeper = open()
  expect(keeper.read()).toBeUndefined()
  const first = snapshotOf('one')
  keeper.write(first.signed, first.lines)
  const wholeBytes = statSync(path).size
  for (const next of [snapshotOf('two'), snapshotOf('three', 2_400)]) {
    keeper.write(next.signed, next.lines)
    const kept = open().read() ?? expect.fail('there is a snapshot')
    expect(kept.signed).toEqual(next.signed)
    expect(kept.tree.toMap()).toEqual(next.lines)
  }
  expect(statSync(path).size - wholeBytes).toBeLessThan(wholeBytes / 5)
})

test('a crash while a change is written leaves what was there before, and the next change is kept', () => {
  const { open, path } = startFolder()
  const first = snapshotOf('one')
  const keeper = open()
  keeper.write(first.signed, first.lines)
  appendFileSync(path, readFileSync(path, 'utf8').slice(0, 50))
  const next = open()
  expect(next.read()?.signed).toEqual(first.signed)
  const second = snapshotOf('two')
  next.write(second.signed, second.lines)
  expect(open().read()?.tree.toMap()).toEqual(second.lines)
})

test('a crash between the parts of a large change leaves what was there before it', () => {
  const { open, path } = startFolder()
  const keeper = open()
  const first = snapshotOf('one')
  keeper.write(first.signed, first.lines)
  const wholeBytes = statSync(path).size
  const second = snapshotOf('two', 5_000)
  keeper.write(second.signed, second.lines)
  const added = readFileSync(path, 'utf8').slice(wholeBytes).trimEnd().split('\n')
  expect(added).toHaveLength(3)
  truncateSync(path, wholeBytes + added.slice(0, -1).join('\n').length + 1)
  expect(open().read()?.tree.toMap()).toEqual(first.lines)
})

test('a file that somebody changed is not believed, and says nothing of what it holds', () => {
  const { open, path } = startFolder()
  const { signed, lines } = snapshotOf('a-secret')
  open().write(signed, lines)
  const text = readFileSync(path, 'utf8')
  expect(text).not.toContain('a-secret')
  const entries = text.split('\n')
  writeFileSync(path, entries.toSpliced(0, 1).join('\n'))
  expect(() => open().read()).toThrow('does not have the hash')
  writeFileSync(path, text.replace(/.{10}\n$/, 'AAAAAAAAAA\n'))
  expect(() => open().read()).toThrow('unable to authenticate')
})

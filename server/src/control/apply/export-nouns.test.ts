import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { configDocument } from '../../config/schema/document.ts'
import { routes } from '../routes.ts'

const guide = join(import.meta.dirname, '../../../../docs/guides/configuration-as-code.md')

/** Rows of the table of nouns: the nouns, and the keys of a document that hold them. */
function readTable(): { readonly nouns: readonly string[]; readonly keys: readonly string[] }[] {
  const text = readFileSync(guide, 'utf8')
  const [, , ...rows] = (text.match(/^\| noun \|[\s\S]*?\n\n/m)?.[0] ?? '').trim().split('\n')
  const words = (cell: string | undefined): string[] =>
    [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, word = '']) => word)
  return rows.map((row) => {
    const [, nouns, keys] = row.split('|')
    return { nouns: words(nouns), keys: words(keys).map((key) => key.replace(/\[\].*/, '')) }
  })
}

test('the guide says of every noun of the admin API whether documents hold it', () => {
  const told = readTable().flatMap(({ nouns }) => nouns)
  expect(told.toSorted()).toEqual([...new Set(routes.map(({ tag }) => tag))].toSorted())
})

test('the guide names every key of a document, and no other', () => {
  const told = new Set(readTable().flatMap(({ keys }) => keys))
  const keys = Object.keys(configDocument.shape).filter((key) => key !== 'headgate')
  expect([...told].toSorted()).toEqual(keys.toSorted())
})

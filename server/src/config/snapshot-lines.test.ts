import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compileFiles } from '../../test/test-config.ts'
import { toSnapshotLines } from './snapshot-lines.ts'

const golden = join(import.meta.dirname, '../../test/golden/config/accepted/everything.yaml')
const { snapshot } = compileFiles({ 'a.yaml': readFileSync(golden, 'utf8') })
const { version, lines } = toSnapshotLines(snapshot)

describe('a snapshot as lines', () => {
  test('has one line for each part and none that breaks', () => {
    const { upstreams, apis, routes, products, consumers } = snapshot
    const parts = [upstreams, apis, routes, products, consumers].reduce((sum, list) => sum + list.length, 1)
    expect(lines.size).toBe(parts)
    expect([...lines.values()].filter((line) => line === '' || line.includes('\n'))).toEqual([])
  })

  test('says all of each part', () => {
    for (const route of snapshot.routes) {
      expect(JSON.parse(lines.get(`routes/${route.id}`) ?? '')).toEqual(JSON.parse(JSON.stringify(route)))
    }
    expect(JSON.parse(lines.get('header') ?? '')).toMatchObject({
      policies: JSON.parse(JSON.stringify(snapshot.policies)),
    })
  })

  test('has the version that the snapshot says, whatever the order of its parts', () => {
    expect(version).toBe(snapshot.version)
    expect(toSnapshotLines({ ...snapshot, routes: snapshot.routes.toReversed() }).version).toBe(version)
    expect(toSnapshotLines({ ...snapshot, routes: snapshot.routes.slice(1) }).version).not.toBe(version)
  })
})

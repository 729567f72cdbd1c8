import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { documentWith, findIssues, compileFiles, inFolder } from '../../test/test-config.ts'
import { policies } from '../policies/index.ts'
import { GONE } from './file-states.ts'
import { compileConfig } from './compile.ts'
import { ConfigError } from './issues.ts'

const consumers = (name: string): string => `headgate: 1\nconsumers:\n  - { name: ${name} }\n`

describe('a directory', () => {
  test('is read in the order of names and its lists are put together', () => {
    const { snapshot } = compileFiles(
      {
        'b.yaml': consumers('second'),
        'a.yml': documentWith('consumers: [{ name: first }]'),
        'c.json': '{"headgate": 1, "consumers": [{"name": "third"}]}',
      },
      { entry: '.' },
    )
    expect(snapshot.consumers.map(({ name }) => name)).toEqual(['first', 'second', 'third'])
  })

  test('leaves hidden files, other files and OpenAPI documents alone', () => {
    const { snapshot } = compileFiles(
      {
        'a.yaml': documentWith(''),
        '.b.yaml': 'not: ours',
        'notes.txt': 'x',
        'spec.yaml': 'openapi: 3.1.0\npaths: {}',
      },
      { entry: '.' },
    )
    expect(snapshot.routes).toHaveLength(1)
  })

  test('names both places of what stands in two files', () => {
    const files = {
      'a.yaml': documentWith('gateway: { serverTiming: true }\nconsumers: [{ name: acme }]'),
      'b.yaml': `${consumers('acme')}gateway: { serverTiming: false }\n`,
    }
    expect(findIssues({ 'a.yaml': files['a.yaml'], 'b.yaml': consumers('acme') }, { entry: '.' })).toEqual([
      'b.yaml:3:13: consumers[1].name: another consumer has the same name (the other one stands at a.yaml:7:21). Rename one.',
    ])
    expect(findIssues(files, { entry: '.' })).toEqual([
      'b.yaml:4:1: gateway: stands in two files (the other one stands at a.yaml:6:1). Only lists are put together; keep this in one file.',
    ])
  })

  test('refuses a file that does not say what it is', () => {
    const [issue] = findIssues({ 'a.yaml': documentWith(''), 'b.yaml': 'consumers: []' }, { entry: '.' })
    expect(issue).toMatch(/^b\.yaml:1:1: the file does not say `headgate: 1`\. Begin every configuration file/)
  })

  test('without configuration files, and a path that leads nowhere, are refused', () => {
    expect(findIssues({ 'a.txt': '' }, { entry: '.' })[0]).toContain('the directory holds no .yaml, .yml or .json file')
    expect(findIssues({}, { entry: 'nowhere.yaml' })[0]).toContain('nowhere.yaml:1:1: the path does not exist')
  })
})

describe('a mounted ConfigMap', () => {
  test('is read through its links, and the directory in which the swap happens is watched', () => {
    inFolder({ '..2026_1/headgate.yaml': documentWith('') }, (folder) => {
      symlinkSync('..2026_1', join(folder, '..data'))
      symlinkSync('..data/headgate.yaml', join(folder, 'headgate.yaml'))
      const before = compileConfig(folder, {}, policies)
      expect(before.snapshot.consumers).toEqual([])
      expect([...before.watched.keys()]).toContain(folder)

      mkdirSync(join(folder, '..2026_2'))
      writeFileSync(join(folder, '..2026_2/headgate.yaml'), documentWith('consumers: [{ name: acme }]'))
      symlinkSync('..2026_2', join(folder, '..data_tmp'))
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
      expect(compileConfig(folder, {}, policies).snapshot.consumers).toHaveLength(1)
    })
  })

  test('may hold the OpenAPI document too', () => {
    const spec = 'openapi: 3.1.0\npaths: { /books: { get: { operationId: list } } }'
    const config = documentWith('').replace('routes: [{ name: all, match: { path: "/*" } }]', 'spec: books.yaml')
    inFolder({ '..1/headgate.yaml': config, '..1/books.yaml': spec }, (folder) => {
      symlinkSync('..1', join(folder, '..data'))
      for (const name of ['headgate.yaml', 'books.yaml']) symlinkSync(`..data/${name}`, join(folder, name))
      const { snapshot } = compileConfig(join(folder, 'headgate.yaml'), {}, policies)
      expect(snapshot.routes.map(({ id }) => id)).toEqual(['a/1.0.0/list'])
    })
  })
})

describe('bounds', () => {
  const limits = { fileBytes: 2000, files: 3 }

  test('a file that is too large is refused by its size alone', () => {
    inFolder({ 'a.yaml': documentWith(`# ${'x'.repeat(2000)}`) }, (folder) => {
      expect(() => compileConfig(folder, {}, policies, limits)).toThrow('is larger than 2000 bytes')
    })
  })

  test('too many files are refused', () => {
    const names = ['b', 'c', 'd'].map((name) => [`${name}.yaml`, consumers(name)] as const)
    inFolder({ 'a.yaml': documentWith(''), ...Object.fromEntries(names) }, (folder) => {
      expect(() => compileConfig(folder, {}, policies, limits)).toThrow('more than 3 files are read')
    })
  })

  test('what is not UTF-8 text is refused', () => {
    inFolder({ 'a.yaml': '' }, (folder) => {
      writeFileSync(join(folder, 'a.yaml'), Buffer.from([0x68, 0xff, 0xfe]))
      expect(() => compileConfig(join(folder, 'a.yaml'), {}, policies)).toThrow('is not UTF-8 text')
    })
  })
})

test('a refused configuration says what to watch, so that mending it is noticed', () => {
  inFolder({ 'a.yaml': documentWith('debug: file:secret') }, (folder) => {
    unlinkSync(join(folder, 'a.yaml'))
    const error = thrownBy(() => compileConfig(join(folder, 'a.yaml'), {}, policies))
    expect(error).toBeInstanceOf(ConfigError)
    if (error instanceof ConfigError) expect(error.watched).toEqual(new Map([[join(folder, 'a.yaml'), GONE]]))
  })
})

function thrownBy(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}

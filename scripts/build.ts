// Builds what `npm pack -w server` holds: JavaScript in server/dist, since Node does not strip types below node_modules,
// with the JSON Schema and the licence beside it. npm calls it as `prepack`.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'

const repository = join(import.meta.dirname, '..')
const server = join(repository, 'server')

rmSync(join(server, 'dist'), { recursive: true, force: true })
const compiler = join(repository, 'node_modules/typescript/bin/tsc')
const { status } = spawnSync(process.execPath, [compiler, '-p', join(server, 'tsconfig.build.json')], {
  stdio: 'inherit',
})
if (status !== 0) process.exit(status ?? 1)
copyFileSync(join(repository, 'schema/headgate.schema.json'), join(server, 'dist/headgate.schema.json'))
copyFileSync(join(repository, 'LICENSE'), join(server, 'LICENSE'))

// The example of a first start comes along; its program is one file without imports of ours.
const example = join(repository, 'examples/bookshop')
const demo = join(server, 'dist/demo')
mkdirSync(demo, { recursive: true })
for (const file of ['headgate.yaml', 'books.openapi.yaml']) copyFileSync(join(example, file), join(demo, file))
writeFileSync(join(demo, 'server.js'), stripTypeScriptTypes(readFileSync(join(example, 'server.ts'), 'utf8')))

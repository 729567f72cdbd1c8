// Builds what `npm pack -w server` holds: JavaScript in server/dist, since Node does not strip types below node_modules,
// with the JSON Schema and the licence beside it. npm calls it as `prepack`.
import { spawnSync } from 'node:child_process'
import { copyFileSync, rmSync } from 'node:fs'
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

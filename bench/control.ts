/**
 * `npm run bench:control`: a large installation on real processes. How fast the admin API reads it, how soon everything
 * and a single change are live on gateways, what moves for that, and what memory it takes.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createAdmin } from './control/admin.ts'
import { toDocument, type Scale } from './control/installation.ts'
import { measureChanges } from './control/measure-changes.ts'
import { measureLists } from './control/measure-lists.ts'
import { startBackend, startRole, startWire, type Role } from './control/processes.ts'
import { toReport, type Figure } from './control/report.ts'

const usage = `npm run bench:control                    1,000 apis × 20 routes × 20,000 consumers; writes bench/CONTROL.md
  -- --apis 100 --consumers 2000         a smaller installation; prints, writes nothing
  --folder DIR                           keep the installation there, and use the one that is there
  --database-url postgres://…            on PostgreSQL, an empty database, instead of SQLite; has a section of its own
  --gateways 2                           how many join it`

const ADMIN_TOKEN = 'the-admin-token-of-the-bench'

const { values } = parseArgs({
  options: {
    apis: { type: 'string', default: '1000' },
    consumers: { type: 'string', default: '20000' },
    folder: { type: 'string' },
    'database-url': { type: 'string' },
    gateways: { type: 'string', default: '2' },
    help: { type: 'boolean', default: false },
  },
})
const scale: Scale = { apis: Number(values.apis), routesPerApi: 20, consumers: Number(values.consumers) }
const isFull = values.apis === '1000' && values.consumers === '20000'
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'headgate-bench-'))
const figures: Figure[] = []

function note(figure: Figure): void {
  figures.push(figure)
  process.stdout.write(`${figure.what}: ${figure.measured}${figure.bar === undefined ? '' : ` (${figure.bar})`}\n`)
}

async function startControl(): Promise<Role> {
  return startRole(['control'], {
    HEADGATE_CONTROL_PORT: '0',
    HEADGATE_ADMIN_TOKEN: ADMIN_TOKEN,
    HEADGATE_DATA_DIR: join(folder, 'control'),
    ...(values['database-url'] === undefined ? {} : { HEADGATE_DATABASE_URL: values['database-url'] }),
  })
}

function memoryBar(controlMb: number): Pick<Figure, 'bar' | 'passed'> {
  return { bar: '< 500 MB', passed: controlMb < 500 }
}

async function main(): Promise<void> {
  const isNew = !existsSync(join(folder, 'control'))
  mkdirSync(join(folder, 'control'), { recursive: true })
  const backend = await startBackend()
  let control = await startControl()
  let admin = createAdmin(control.port, ADMIN_TOKEN)
  if (isNew) {
    const document = toDocument(scale, backend.port)
    const peakMb = await control.peakMb(async () => {
      const { ms } = await admin('POST', '/workspaces/default/apply', { document })
      note({ what: 'apply of everything in one document', measured: `${(ms / 1000).toFixed(1)} s` })
      const again = await admin('POST', '/workspaces/default/apply', { document })
      note({ what: 'apply of the same once more', measured: `${(again.ms / 1000).toFixed(1)} s` })
    })
    note({ what: 'memory of control meanwhile, at most', measured: `${peakMb.toFixed(0)} MB`, ...memoryBar(peakMb) })
    const appliedMb = control.residentMb()
    note({ what: 'memory of control after that', measured: `${appliedMb.toFixed(0)} MB`, ...memoryBar(appliedMb) })
    await control.stop()
    control = await startControl()
    admin = createAdmin(control.port, ADMIN_TOKEN)
  }
  note({ what: 'start of control', measured: `${(control.startMs / 1000).toFixed(2)} s` })
  for (const figure of await measureLists(admin)) note(figure)
  const wire = await startWire(control.port)
  const running: Role[] = []
  for (let index = 0; index < Number(values.gateways); index++) {
    const { body } = await admin('POST', '/gateways/join-tokens', {})
    const gateway = await startRole(['gateway'], {
      HEADGATE_CONTROL_URL: `http://127.0.0.1:${wire.port}`,
      HEADGATE_NODE_TOKEN: String(Object.entries(body ?? {}).find(([key]) => key === 'token')?.[1]),
      HEADGATE_DATA_DIR: mkdtempSync(join(folder, 'gateway-')),
      HEADGATE_NODE_KEY_FILE: join(mkdtempSync(join(folder, 'key-')), 'node.key'),
      HEADGATE_GATEWAY_PORT: '0',
      HEADGATE_METRICS_PORT: '0',
      HEADGATE_WORKERS: '1',
    })
    running.push(gateway)
    note({
      what: `everything to a fresh gateway (${index + 1}): from its start until it serves`,
      measured: `${(gateway.startMs / 1000).toFixed(2)} s, ${(wire.bytes() / 1e6).toFixed(1)} MB since the first`,
      bar: '< 5 s',
      passed: gateway.startMs < 5_000,
    })
  }
  for (const figure of await measureChanges({ admin, wire, gateways: running })) note(figure)
  const controlMb = control.residentMb()
  note({
    what: 'memory of control at the end',
    measured: `${controlMb.toFixed(0)} MB`,
    ...memoryBar(controlMb),
  })
  for (const gateway of running) {
    note({ what: 'memory of a gateway with one worker', measured: `${gateway.residentMb().toFixed(0)} MB` })
  }
  await Promise.all(running.map((gateway) => gateway.stop()))
  wire.close()
  await control.stop()
  backend.close()
  const path = join(import.meta.dirname, 'CONTROL.md')
  const store = values['database-url'] === undefined ? 'SQLite' : 'PostgreSQL'
  if (isFull && isNew) writeFileSync(path, toReport(scale, store, figures, readFileSync(path, 'utf8')))
  if (values.folder === undefined) rmSync(folder, { recursive: true })
}

if (values.help) process.stdout.write(`${usage}\n`)
else {
  await main()
  process.exit(0)
}

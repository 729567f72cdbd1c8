/** What every scenario is given: options, scratch place, backend, and a way to say what is going on. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Contender } from './compare.ts'
import { commandOutput } from './measure/process.ts'
import type { Options } from './options.ts'
import { scratchRoot } from './scratch.ts'
import type { Section } from './section.ts'
import { startBackend, type Backend } from './subjects/backend.ts'
import type { Subject, Workplace } from './subjects/subject.ts'
import { createTokenIssuer, type TokenIssuer } from './workload.ts'

export interface Bench {
  options: Options
  place: Workplace
  backend: Backend
  issuer: TokenIssuer
  /** Whether the command line asks for this subject. */
  wants: (subject: Subject) => boolean
  say: (line: string) => void
}

export interface Scenario {
  name: string
  run: (bench: Bench) => Promise<Section>
  /** The traffic of a comparison, for the profiler; absent where there is none to profile. */
  profiled?: (bench: Bench) => Contender
}

export async function createBench(
  options: Options,
  say: (line: string) => void,
): Promise<Bench & { close: () => Promise<void> }> {
  const directory = mkdtempSync(join(scratchRoot(), 'headgate-bench-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const issuer = createTokenIssuer()
  const backend = await startBackend(directory)
  const place: Workplace = {
    directory,
    backendPort: backend.port,
    ...createCertificate(directory),
    keySetFile: join(directory, 'jwks.json'),
  }
  writeFileSync(place.keySetFile, JSON.stringify(issuer.keySet))
  return {
    options,
    place,
    backend,
    issuer,
    wants: (subject) => options.subjects.length === 0 || options.subjects.includes(subject.name.replace(/ .*/, '')),
    say,
    close: () => backend.stop(),
  }
}

/** An ECDSA certificate (P-256), what most public sites show today. */
function createCertificate(directory: string): { certificateFile: string; privateKeyFile: string } {
  const place = join(directory, 'tls')
  mkdirSync(place)
  const certificateFile = join(place, 'tls.crt')
  const privateKeyFile = join(place, 'tls.key')
  const subject = [
    '-subj',
    '/CN=api.bookshop.example',
    '-addext',
    'subjectAltName=DNS:api.bookshop.example,IP:127.0.0.1',
  ]
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', privateKeyFile]
  commandOutput('openssl', ['req', '-x509', '-days', '30', ...key, '-out', certificateFile, ...subject])
  return { certificateFile, privateKeyFile }
}

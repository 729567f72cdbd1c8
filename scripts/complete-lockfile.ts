// Completes package-lock.json after `npm install`. Where a registry does not carry the binaries of a platform, npm leaves
// these optional packages out of the lockfile, and then `npm ci` refuses it on every platform. An entry that
// names version and platform is all that it needs: npm fetches it only where the platform fits.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface LockedPackage {
  version?: string
  optional?: boolean
  dev?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}

export interface Lockfile {
  packages: Record<string, LockedPackage>
}

const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32']
const processors = ['arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64']

/** The platform that a package of binaries has in its name, such as `@oxlint/binding-linux-x64-musl`. */
export function readPlatform(name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> | undefined {
  const words = name.split(/[/-]/)
  const os = systems.find((system) => words.includes(system))
  const cpu = processors.find((processor) => words.includes(processor))
  if (!os || !cpu) return undefined
  if (os !== 'linux') return { os: [os], cpu: [cpu] }
  const isMusl = words.some((word) => word.startsWith('musl'))
  const isGnu = words.some((word) => word.startsWith('gnu'))
  return { os: [os], cpu: [cpu], ...(isMusl ? { libc: ['musl'] } : isGnu ? { libc: ['glibc'] } : {}) }
}

/** Optional dependencies that a lockfile asks for and has no entry for, with the entry that each needs. */
export function findMissingEntries({ packages }: Lockfile): Map<string, LockedPackage> {
  const missing = new Map<string, LockedPackage>()
  for (const holder of Object.values(packages)) {
    for (const [name, version] of Object.entries(holder.optionalDependencies ?? {})) {
      const platform = readPlatform(name)
      if (packages[`node_modules/${name}`] || !platform) continue
      missing.set(`node_modules/${name}`, {
        version,
        ...(holder.dev ? { dev: true } : {}),
        optional: true,
        ...platform,
      })
    }
  }
  return missing
}

export function readLockfile(): Lockfile {
  return JSON.parse(readFileSync(lockfilePath, 'utf8')) as Lockfile
}

const lockfilePath = join(import.meta.dirname, '../package-lock.json')

if (import.meta.main) {
  const lockfile = readLockfile()
  const missing = findMissingEntries(lockfile)
  const entries = Object.entries({ ...lockfile.packages, ...Object.fromEntries(missing) })
  lockfile.packages = Object.fromEntries(entries.toSorted(([a], [b]) => a.localeCompare(b, 'en')))
  writeFileSync(lockfilePath, `${JSON.stringify(lockfile, undefined, 2)}\n`)
  console.log(`${missing.size} entries added to package-lock.json`)
}

/**
 * Throws hostile paths at the normaliser for a second and has what it accepts read by models of the servers that have
 * been fooled before: none may see another path than the router did.
 */
import { expect, test } from 'vitest'
import { decodeSegment, normalisePath } from '../../src/kernel/path.ts'
import { Random } from './random.ts'

const seconds = Number(process.env['HEADGATE_FUZZ_SECONDS'] ?? 2)
const firstSeed = Number(process.env['HEADGATE_FUZZ_SEED'] ?? Date.now() % 1_000_000_000)

const shards =
  `/ / / / // . .. ... ; ..; .; ;a=b a b admin %2e %2E %2f %5c %5C %25 %252e %252f %25%32%65 %c0%af %c3%a9 %e2%80%8e %3b %3B %3f %23 %20 %00
  %0d%0a %7f %41 %7e % %2 %zz \\ | " + & = : @ ~ _ - ! $ ' ( ) * , ? # é \0 \t`.split(/[ \n]+/)

const decodeOnce = (text: string): string =>
  text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** Segments after dot segments are resolved and empty ones left out, as nearly every server does. */
function resolve(path: string): string[] {
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  return segments
}

/** How the readers behind a gateway take a path apart, each with its own order of steps. */
const readers: Readonly<Record<string, (path: string) => string[]>> = {
  'decodes, then resolves (nginx)': (path) => resolve(decodeOnce(path)),
  'resolves, then decodes': (path) => resolve(path).map(decodeOnce),
  'takes backslashes for slashes (IIS)': (path) => resolve(decodeOnce(path).replaceAll('\\', '/')),
  'cuts parameters off, then resolves (Tomcat)': (path) =>
    resolve(
      decodeOnce(
        path
          .split('/')
          .map((segment) => segment.replace(/;.*/, ''))
          .join('/'),
      ),
    ),
  'decodes, then cuts parameters off': (path) =>
    resolve(
      decodeOnce(path)
        .split('/')
        .map((segment) => segment.replace(/;.*/, ''))
        .join('/'),
    ),
  'decodes twice': (path) => resolve(decodeOnce(decodeOnce(path))),
  'stops at NUL (C)': (path) => resolve(decodeOnce(path).split('\0')[0] ?? ''),
}

/** What is wrong with a raw path, if it is accepted. */
function findBreaches(raw: string): string[] {
  const path = normalisePath(raw, 'refuse')
  if (typeof path !== 'string') return []
  const breaches: string[] = []
  if (normalisePath(path, 'refuse') !== path) breaches.push(`${path} is not its own normal form`)
  const segments = path.split('/').filter((segment) => segment !== '')
  for (const [name, read] of Object.entries(readers)) {
    const seen = read(path).length
    if (seen !== segments.length) breaches.push(`a server that ${name} sees ${seen} segments in ${path}`)
  }
  const plain = resolve(decodeOnce(path)).join('/')
  const own = segments.map((segment) => Buffer.from(decodeSegment(segment)).toString('latin1')).join('/')
  if (plain !== own) breaches.push(`a server that decodes sees ${plain}, the router ${own}`)
  const parsed = new URL(path.replace(/^\/+/, '/'), 'http://a.example').pathname
  if (parsed !== path) breaches.push(`a URL parser makes ${parsed} of ${path}`)
  return breaches
}

test('no server sees another path than the router', () => {
  const endMs = performance.now() + (1000 * seconds) / 2
  let accepted = 0
  for (let seed = firstSeed; performance.now() < endMs; seed++) {
    const random = new Random(seed)
    const raw = `/${Array.from({ length: random.below(10) }, () => random.pick(shards)).join('')}`
    expect(findBreaches(raw), `HEADGATE_FUZZ_SEED=${seed} ${raw}`).toEqual([])
    if (typeof normalisePath(raw, 'refuse') === 'string') accepted++
  }
  expect(accepted).toBeGreaterThan(0)
})

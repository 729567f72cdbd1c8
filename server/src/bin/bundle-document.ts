/** OpenAPI documents of this machine or a URL as one text to send: what they refer to is put in here, where it lies. */
import { existsSync, readFileSync } from 'node:fs'
import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ImportOutcome } from '../config/openapi/import-child.ts'
import type { ImportFinding } from '../config/openapi/import-findings.ts'
import { importInChild } from '../config/openapi/import-in-child.ts'
import { AdminError } from './admin-client.ts'

type Imported = Extract<ImportOutcome, { kind: 'imported' }>

/** A reference that does not stay in its document, in JSON or YAML. */
const ELSEWHERE = /["']?\$ref["']?\s*:\s*["']?[^"'#\s]/

/** Throws an `AdminError` that names rule, place and remedy of everything that keeps it from being imported. */
export async function importPlace(place: string): Promise<Imported> {
  const isRemote = /^https?:\/\//.test(place)
  if (!isRemote && !existsSync(place)) throw new AdminError(`${place}: there is no such file. Give a path or a URL.`)
  const outcome = await importInChild({
    source: isRemote ? place : pathToFileURL(place).href,
    text: undefined,
    mayFetch: true,
    // Whoever calls this may reach everything that this machine reaches anyway.
    allowPrivateAddresses: true,
    hosts: [],
    limits: {},
    cacheFolder: findCacheFolder(),
  })
  if (outcome.kind === 'refused') throw new AdminError(toFindingLines(outcome.findings))
  // With its comments and its order, where nothing had to be changed.
  return outcome.isAsWritten && !isRemote ? { ...outcome, text: readFileSync(place, 'utf8') } : outcome
}

/** The text as it is, unless it refers to other files. */
export async function bundleText(file: string, text: string): Promise<string> {
  return ELSEWHERE.test(text) ? (await importPlace(file)).text : text
}

/** Where this process keeps its own compiled modules: Node gives the folder of its version in it. */
function findCacheFolder(): string {
  const folder = getCompileCacheDir()
  return folder === undefined ? '' : dirname(folder)
}

function toFindingLines(findings: readonly ImportFinding[]): string {
  return findings
    .filter(({ outcome }) => outcome === 'refused')
    .map(({ file, pointer, message, rule, remedy }) => `${toShown(file)}${pointer}: ${message} (${rule}). ${remedy}`)
    .join('\n')
}

function toShown(file: string): string {
  return file.replace(/^file:\/\//, '')
}

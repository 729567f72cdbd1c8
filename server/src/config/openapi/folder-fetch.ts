/** Reads files that a document on disk refers to; whoever imports says below which folder they may lie. */
import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { FetchFault, type FetchFile } from './fetch-file.ts'
import { referenceRules } from './import-rules.ts'

export const fetchFromFolder: FetchFile = async (url, { maxBytes, allows }) => {
  if (url.protocol !== 'file:' || !allows(url)) {
    throw new FetchFault(referenceRules.elsewhere, `${url.href} is elsewhere than the document`)
  }
  try {
    const path = fileURLToPath(url)
    const facts = await stat(path)
    if (!facts.isFile()) throw new FetchFault(referenceRules.unavailable, `${url.href} is not a file`)
    if (facts.size > maxBytes) {
      throw new FetchFault(referenceRules.bounds, `${url.href} is larger than ${maxBytes} bytes`)
    }
    return { url, bytes: await readFile(path) }
  } catch (error) {
    if (error instanceof FetchFault) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    throw new FetchFault(referenceRules.unavailable, `${url.href} cannot be read (${code})`)
  }
}

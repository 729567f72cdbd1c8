/** How much a document and what it refers to may cost to read. */
export interface ImportLimits {
  /** Bytes of one file. */
  readonly fileBytes: number
  /** Bytes of one file of YAML, which takes two hundred times as much memory while it is read. */
  readonly yamlBytes: number
  readonly totalBytes: number
  readonly files: number
  /** Files that lead to each other in a row. */
  readonly fileDepth: number
  /** For everything that is fetched. */
  readonly fetchMs: number
  /** Findings that are told; the first ones keep anybody busy. */
  readonly findings: number
}

const MEBIBYTE = 1024 * 1024

export const defaultImportLimits: ImportLimits = {
  fileBytes: 64 * MEBIBYTE,
  yamlBytes: 12 * MEBIBYTE,
  totalBytes: 128 * MEBIBYTE,
  files: 200,
  fileDepth: 20,
  fetchMs: 30_000,
  findings: 200,
}

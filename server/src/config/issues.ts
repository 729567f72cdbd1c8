/** What is wrong with a configuration: every finding with its place, its key path and how to mend it. */

import type { FileStates } from './file-states.ts'

/** A key inside a document, from its root. */
export type KeyPath = readonly (string | number)[]

/** Where something stands in a file; lines and columns count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

export interface ConfigIssue extends Place {
  /** The key, such as `apis[0].routes[2].match.path`, or a pointer such as `#/paths/~1books/get`. */
  readonly path: string
  readonly message: string
  /** How to mend it. */
  readonly hint: string | undefined
  /** The other place that it contradicts. */
  readonly other: Place | undefined
}

interface IssueDetails {
  readonly hint?: string | undefined
  readonly other?: Place
}

/** More than so many are not shown: the first hundred keep anybody busy. */
const MOST_ISSUES = 100

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly issues: readonly ConfigIssue[]
  /** Files and directories that were read or looked for: when one of them changes, it is worth trying again. */
  readonly watched: FileStates

  constructor(issues: readonly ConfigIssue[], watched: FileStates) {
    super(issues.map(toIssueLine).join('\n'))
    this.issues = issues
    this.watched = watched
  }
}

/** Collects issues until there are too many. */
export class IssueList {
  readonly issues: ConfigIssue[] = []

  /** `key` is a key path of the configuration, or a pointer of an OpenAPI document. */
  add(place: Place, key: KeyPath | string, message: string, more: IssueDetails = {}): void {
    if (this.issues.length >= MOST_ISSUES) return
    const path = typeof key === 'string' ? key : toKeyText(key)
    const { file, line, column } = place
    this.issues.push({ file, line, column, path, message, hint: more.hint, other: more.other })
  }

  get count(): number {
    return this.issues.length
  }

  /** The issues in the order of files and lines. */
  sorted(): ConfigIssue[] {
    return this.issues.toSorted(
      (a, b) => Number(a.file > b.file) - Number(a.file < b.file) || a.line - b.line || a.column - b.column,
    )
  }
}

/** `['apis', 0, 'base path']` as `apis[0]["base path"]`. */
export function toKeyText(path: KeyPath): string {
  let text = ''
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`
    else if (/^[\w-]+$/.test(key)) text += text === '' ? key : `.${key}`
    else text += `[${JSON.stringify(key)}]`
  }
  return text
}

function toPlaceText(place: Place): string {
  return `${place.file}:${place.line}:${place.column}`
}

/** One issue as one line: place, key, what is wrong, how to mend it. */
export function toIssueLine(issue: ConfigIssue): string {
  const key = issue.path === '' ? '' : `${issue.path}: `
  const other = issue.other === undefined ? '' : ` (the other one stands at ${toPlaceText(issue.other)})`
  const hint = issue.hint === undefined ? '' : ` ${issue.hint}`
  return `${toPlaceText(issue)}: ${key}${issue.message}${other}.${hint}`
}

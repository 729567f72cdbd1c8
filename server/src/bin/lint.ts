/** `headgate lint`: holds an OpenAPI document against rules, and against an earlier version of itself. */
import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { parsePointer } from '../config/openapi/spec-files.ts'
import { parseSource, type Source } from '../config/source.ts'
import { reviewDocument, type DocumentReview } from '../control/documents/review-document.ts'
import { parseRuleset } from '../control/lint/spectral/parse-ruleset.ts'
import type { Severity } from '../control/lint/lint-rule.ts'
import { AdminError } from './admin-client.ts'
import { importPlace } from './bundle-document.ts'
import type { CommandSurroundings } from './command-surroundings.ts'

type Format = 'text' | 'json' | 'github'

interface LintOptions {
  readonly ruleset?: string
  readonly against?: string
  readonly refuseAt: 'error' | 'warn' | 'off'
  readonly json?: boolean
  readonly format: Format
}

/** A finding or a change, with its place where the document is a file that stands as it was written. */
interface Told {
  readonly rule: string
  readonly severity: Severity | 'breaking'
  readonly pointer: string
  readonly message: string
  readonly remedy: string
  readonly line?: number
  readonly column?: number
}

const example = `
Example:
  $ headgate lint openapi.yaml
  $ headgate lint openapi.yaml --ruleset .spectral.yaml --against published.yaml --format github

Exit codes: 0 nothing refuses it, 1 something does, 2 wrong use.`

const RANKS = { breaking: 0, error: 0, warning: 1, info: 2, hint: 3 }
const MOST_RANK = { error: 0, warn: 1, off: -1 }

export function createLintCommand(surroundings: CommandSurroundings, exit: (code: number) => void): Command {
  return new Command('lint')
    .summary('hold an OpenAPI document against rules')
    .description('Holds an OpenAPI document against the built-in rules, or those of a file in the format of Spectral.')
    .argument('<file>', 'OpenAPI 3.0, 3.1 or Swagger 2.0, JSON or YAML; a path or a URL')
    .option('--ruleset <file>', "rules in Spectral's format; by default the built-in ones")
    .option('--against <file>', 'an earlier document: changes that break its callers refuse this one')
    .addOption(
      new Option('--refuse-at <severity>', 'least severity that fails')
        .choices(['error', 'warn', 'off'])
        .default('error'),
    )
    .addOption(
      new Option('--format <format>', 'github writes annotations for GitHub Actions')
        .choices(['text', 'json', 'github'])
        .default('text'),
    )
    .option('--json', 'the same as --format json')
    .addHelpText('after', example)
    .action(async (file: string, options: LintOptions) => exit(await runLint(file, options, surroundings)))
}

async function runLint(file: string, options: LintOptions, surroundings: CommandSurroundings): Promise<number> {
  try {
    const ruleset = options.ruleset === undefined ? undefined : readRuleset(options.ruleset)
    const { text } = await importPlace(file)
    const before = options.against === undefined ? undefined : (await importPlace(options.against)).text
    const told = toTold(reviewDocument({ text, before, ruleset }), readPlaces(file, text))
    const refusing = told.filter(({ severity }) => RANKS[severity] <= MOST_RANK[options.refuseAt])
    surroundings.write(formats[options.json === true ? 'json' : options.format](file, told, refusing.length))
    return refusing.length === 0 ? 0 : 1
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    surroundings.writeError(`${error.message}\n`)
    return 1
  }
}

function readRuleset(path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new AdminError(`${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  const parsed = parseRuleset(text)
  if (parsed.kind === 'ruleset') return text
  const lines = parsed.issues.map(({ pointer, message, remedy }) => `${path}${pointer}: ${message}. ${remedy}`)
  throw new AdminError(lines.join('\n'))
}

/** Places mean something only in the text that stands in the file. */
function readPlaces(file: string, text: string): Source | undefined {
  if (/^https?:\/\//.test(file) || readFileSync(file, 'utf8') !== text) return undefined
  return parseSource(file, text, () => undefined)
}

function toTold({ lint, changes }: DocumentReview, source: Source | undefined): Told[] {
  const all = [
    ...changes
      .filter(({ kind }) => kind === 'breaking')
      .map(({ rule, pointer, detail }) => ({
        rule,
        severity: 'breaking' as const,
        pointer,
        message: detail,
        remedy: 'Publish it as another version.',
      })),
    ...lint,
  ]
  if (source === undefined) return all
  return all.map((each) => {
    const { line, column } = source.place(source.value, parsePointer(each.pointer.slice(1), each.pointer), 'key')
    return { ...each, line, column }
  })
}

type Write = (file: string, told: readonly Told[], refusing: number) => string

const formats: Readonly<Record<Format, Write>> = {
  text(file, told, refusing) {
    const lines = told.map(({ severity, rule, pointer, message, line, column }) => {
      const place = line === undefined ? file : `${file}:${line}:${column}`
      return `${place} ${severity} ${rule} ${pointer}: ${message}`
    })
    const sum = told.length === 0 ? 'Nothing was found.' : `${told.length} findings, ${refusing} of which refuse it.`
    return [...lines, sum, ''].join('\n')
  },
  json: (file, told, refusing) => `${JSON.stringify({ file, refused: refusing > 0, findings: told }, undefined, 2)}\n`,
  /** https://docs.github.com/actions/reference/workflow-commands-for-github-actions */
  github(file, told) {
    const level = (severity: Told['severity']): string =>
      ['error', 'warning', 'notice', 'notice'][RANKS[severity]] ?? ''
    const lines = told.map(({ severity, rule, pointer, message, remedy, line = 1, column = 1 }) => {
      const place = [`file=${file}`, `line=${line}`, `col=${column}`, `title=${rule}`].map(toProperty).join(',')
      return `::${level(severity)} ${place}::${toMessage(`${pointer}: ${message}. ${remedy}`)}`
    })
    return lines.map((line) => `${line}\n`).join('')
  },
}

function toMessage(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function toProperty(text: string): string {
  return toMessage(text).replaceAll(/[:,]/g, (mark) => (mark === ':' ? '%3A' : '%2C'))
}

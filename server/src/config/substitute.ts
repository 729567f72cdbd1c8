/** `${NAME}` and `file:PATH` inside values: what is secret stays out of the files. */
import { besideFile, UnreadableFile, type ConfigReader } from './file-reader.ts'

/** Replaces the references inside one text; throws a `SubstitutionFault`. */
export type Substitute = (text: string) => string

export type Environment = Readonly<Record<string, string | undefined>>

export class SubstitutionFault extends Error {
  override readonly name = 'SubstitutionFault'
  readonly hint: string

  constructor(message: string, hint: string) {
    super(message)
    this.hint = hint
  }
}

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g
const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s

/** Makes the replacement for one file; relative `file:` paths start at its directory. */
export function createSubstitute(file: string, environment: Environment, reader: ConfigReader): Substitute {
  return (text) => {
    const replaced = text.includes('${') ? replaceVariables(text, environment) : text
    return replaced.startsWith('file:') && text.startsWith('file:')
      ? readSecret(file, replaced.slice(5), reader)
      : replaced
  }
}

function replaceVariables(text: string, environment: Environment): string {
  return text.replace(REFERENCE, (whole, expression: string | undefined, end: string) => {
    if (whole === '$${') return '${'
    const [, name, fallback] = (end === '}' && VARIABLE.exec(expression ?? '')) || []
    if (name === undefined) {
      throw new SubstitutionFault(
        '`${` begins a reference to no variable',
        'Write `${NAME}`, or `$${` for the text `${`.',
      )
    }
    const value = environment[name]
    if (value !== undefined && (value !== '' || fallback === undefined)) return value
    if (fallback !== undefined) return fallback
    throw new SubstitutionFault(
      `the environment variable ${name} is not set`,
      `Set it, or give a default: \`\${${name}:-…}\`.`,
    )
  })
}

/** The content of a file that a value names, without the line break at its end. */
function readSecret(file: string, path: string, reader: ConfigReader): string {
  const named = besideFile(file, path)
  try {
    return reader.read(named).replace(/\r?\n$/, '')
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error
    throw new SubstitutionFault(`the file ${named} ${error.message}`, 'Mend the path after `file:`.')
  }
}

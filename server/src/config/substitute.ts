/** `${NAME}` and `file:PATH` inside values: what is secret stays out of the files. */
import { SECRET_REFERENCE } from '../kernel/secret-reference.ts'
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
/** Text that is no reference though it looks like one. */
const LITERAL = /^:-(.*)$/s
const SECRET = new RegExp(`^${SECRET_REFERENCE}$`)
/** What begins like a reference and is none to a secret. Behind a `$` it would be read as the text `${`. */
const NO_SECRET = new RegExp(`(?<=\\$)\\$\\{|(?!${SECRET_REFERENCE})\\$\\{`, 'g')

/** Who reads the document: a gateway that runs it, or a control plane, which has secrets of its own. */
export type Audience = 'gateway' | 'control'

/** Makes the replacement for one file; relative `file:` paths start at its directory. */
export function createSubstitute(
  file: string,
  environment: Environment,
  reader: ConfigReader,
  audience: Audience = 'gateway',
): Substitute {
  return (text) => {
    const replaced = text.includes('${') ? replaceVariables(text, environment, audience) : text
    return replaced.startsWith('file:') && text.startsWith('file:')
      ? readSecret(file, replaced.slice(5), reader)
      : replaced
  }
}

function replaceVariables(text: string, environment: Environment, audience: Audience): string {
  return text.replace(REFERENCE, (whole, expression: string | undefined, end: string) => {
    if (whole === '$${') return '${'
    if (SECRET.test(whole)) return keepSecret(whole, audience)
    const literal = end === '}' ? LITERAL.exec(expression ?? '')?.[1] : undefined
    if (literal !== undefined) return literal
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

/** Text that a control plane will read as this text, references to its secrets aside: the other way round. */
export function escapeReferences(text: string): string {
  const escaped = text.replace(NO_SECRET, '$$$${')
  return escaped.startsWith('file:') ? `\${:-file:}${escaped.slice('file:'.length)}` : escaped
}

/** References to secrets travel to the control plane as they are. */
function keepSecret(reference: string, audience: Audience): string {
  if (audience === 'control') return reference
  throw new SubstitutionFault(
    `${reference} is a secret of a control plane, and a gateway that runs from a file has none`,
    'Write `${NAME}` for an environment variable or `file:…`, or apply the file to a control plane (`headgate apply`).',
  )
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

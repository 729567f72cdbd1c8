/**
 * YAML (and JSON, which is a part of it) to a bounded tree: how deep it nests is watched while it is read, so that a
 * hostile file is refused before it costs much.
 */
import { Composer, Lexer, LineCounter, Parser, type Document, type ParsedNode } from 'yaml'
import type { KeyPath } from './issues.ts'
import { lowerFirst, withoutStop } from './sentence.ts'

/** Levels of nesting; an OpenAPI document with deep schemas needs about 50. */
export const MOST_LEVELS = 100

export interface YamlTree {
  readonly document: Document.Parsed
  readonly root: ParsedNode | null
  /** Line and column, from 1, of an offset in characters. */
  position(offset: number): { readonly line: number; readonly column: number }
}

/** What a fault of a text is about. */
export type TextMatter = 'syntax' | 'keys' | 'aliases' | 'nesting' | 'substitution'

/** What is wrong with the text itself, with its place. */
export class YamlFault extends Error {
  override readonly name = 'YamlFault'
  readonly line: number
  readonly column: number
  readonly path: KeyPath
  readonly matter: TextMatter

  constructor(matter: TextMatter, message: string, line: number, column: number, path: KeyPath = []) {
    super(message)
    this.matter = matter
    this.line = line
    this.column = column
    this.path = path
  }
}

/** Parses one document; throws a `YamlFault` for the first thing that is wrong. */
export function parseYamlTree(text: string): YamlTree {
  const lines = new LineCounter()
  lines.addNewLine(0)
  const position = (offset: number) => {
    const { line, col } = lines.linePos(Math.min(offset, text.length))
    return { line, column: col }
  }
  const fail = (offset: number, message: string, matter: TextMatter = 'syntax'): never => {
    const { line, column } = position(offset)
    throw new YamlFault(matter, message, line, column)
  }
  const parser = new Parser(lines.addNewLine)
  function* tokens() {
    for (const lexeme of new Lexer().lex(text)) {
      yield* parser.next(lexeme)
      if (parser.stack.length > MOST_LEVELS * 2)
        fail(parser.offset, `nests deeper than ${MOST_LEVELS} levels`, 'nesting')
    }
    yield* parser.end()
  }
  // Repeated keys are found when values are made: the library compares each key with all before it.
  const composer = new Composer({ uniqueKeys: false, logLevel: 'silent', lineCounter: lines })
  const [document, second] = composer.compose(tokens(), true, text.length)
  if (document === undefined) throw new YamlFault('syntax', 'is empty', 1, 1)
  const fault = document.errors[0] ?? document.warnings[0]
  if (fault !== undefined) fail(fault.pos[0], `is not valid YAML: ${lowerFirst(withoutStop(fault.message))}`)
  if (second !== undefined) fail(second.range[0], 'holds a second document; write one document for each file')
  return { document, root: document.contents, position }
}

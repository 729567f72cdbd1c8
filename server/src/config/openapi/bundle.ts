/**
 * A document that refers to other files, as one: what references lead to becomes a part of `components`, once for each
 * place, so that references in a circle stay what they are and nothing multiplies.
 */
import type { KeyPath } from '../issues.ts'
import { mapParts, type Kind } from './grammar.ts'
import { isTree, mapValues, omit, toTree, type Tree } from './json-tree.ts'
import { followReference, ReferenceFault, toPointer, type Located, type SpecFile } from './spec-files.ts'

/** Where parts of a kind stand by name: in OpenAPI 3, and those that Swagger 2.0 knows. */
const SECTIONS: Partial<Readonly<Record<Kind, readonly [string, string?]>>> = {
  schema: ['schemas', 'definitions'],
  parameter: ['parameters', 'parameters'],
  response: ['responses', 'responses'],
  requestBody: ['requestBodies'],
  header: ['headers'],
  example: ['examples'],
  link: ['links'],
  callback: ['callbacks'],
  securityScheme: ['securitySchemes'],
}

/** Parts put in place inside each other, which only paths in a circle are. */
const MOST_INLINED = 20

export interface BundleParts {
  readonly root: SpecFile
  /** The file that an address in a file leads to; throws a `ReferenceFault` for one that cannot be had. */
  open(address: string, from: SpecFile): SpecFile
  /** The same without asking for one that is not there. */
  peek(address: string, from: SpecFile): SpecFile
  /** Hears of references to nothing; they stay as they are. */
  report(fault: ReferenceFault, reference: string, from: SpecFile): void
}

export function bundle(parts: BundleParts): Tree {
  return new Bundler(parts).bundle()
}

class Bundler {
  private readonly parts: BundleParts
  private readonly isSwagger: boolean
  /** Name by section and place. */
  private readonly names = new Map<string, string>()
  private readonly added = new Map<string, Map<string, unknown>>()
  private readonly waiting: (() => void)[] = []
  private inlined = 0

  constructor(parts: BundleParts) {
    this.parts = parts
    this.isSwagger = Object.hasOwn(toTree(parts.root.value), 'swagger')
  }

  bundle(): Tree {
    const { root } = this.parts
    const document = toTree(this.rewrite(root.value, 'document', root))
    for (let next = this.waiting.pop(); next !== undefined; next = this.waiting.pop()) next()
    if (this.isSwagger) return this.withAdded(document)
    return this.added.size === 0
      ? document
      : { ...document, components: this.withAdded(toTree(document['components'])) }
  }

  private withAdded(holder: Tree): Tree {
    const sections = [...this.added].map(([section, members]) => {
      return [section, { ...toTree(holder[section]), ...Object.fromEntries(members) }] as const
    })
    return { ...holder, ...Object.fromEntries(sections) }
  }

  private rewrite(value: unknown, kind: Kind, file: SpecFile): unknown {
    if (!isTree(value)) return value
    const reference = value['$ref']
    if (typeof reference === 'string') return this.rewriteReference(reference, value, kind, file)
    const changed = mapParts(value, kind, (inner, innerKind) => this.rewrite(inner, innerKind, file))
    return kind === 'schema' ? this.rewriteMapping(changed, file) : changed
  }

  private rewriteReference(reference: string, value: Tree, kind: Kind, file: SpecFile): unknown {
    const { root } = this.parts
    // Since 3.1, schemas may have keywords beside a reference, which may refer to other files in their turn.
    const beside = mapParts(value, kind, (inner, innerKind) => this.rewrite(inner, innerKind, file))
    if (file === root && reference.startsWith('#')) return beside
    try {
      const target = followReference(reference, file, (address) => this.parts.open(address, file))
      if (target.file === root) return { ...beside, $ref: toFragment(target.pointer) }
      const section = SECTIONS[kind]?.[this.isSwagger ? 1 : 0]
      if (section === undefined) return this.inline(target, beside, kind)
      const base = this.isSwagger ? [section] : ['components', section]
      return { ...beside, $ref: toFragment([...base, this.nameOf(target, section, kind)]) }
    } catch (error) {
      if (!(error instanceof ReferenceFault)) throw error
      this.parts.report(error, reference, file)
      return beside
    }
  }

  /** Paths have no place of their own in 3.0, and stand in one place only. What is beside the reference counts more. */
  private inline(target: Located, value: Tree, kind: Kind): unknown {
    if (this.inlined >= MOST_INLINED) throw new ReferenceFault('the references lead in a circle', 'Break the circle.')
    this.inlined++
    try {
      return { ...toTree(this.rewrite(target.value, kind, target.file)), ...omit(value, ['$ref']) }
    } finally {
      this.inlined--
    }
  }

  private nameOf(target: Located, section: string, kind: Kind): string {
    const key = `${section} ${target.file.source.file}${toPointer(target.pointer)}`
    const known = this.names.get(key)
    if (known !== undefined) return known
    const added = this.added.get(section) ?? new Map<string, unknown>()
    const taken = this.sectionOfRoot(section)
    const base = toBaseName(target)
    let name = base
    for (let count = 2; added.has(name) || Object.hasOwn(taken, name); count++) name = `${base}-${count}`
    this.names.set(key, name)
    // Its place is taken at once, for others of the same name; its value follows when all that led here is done.
    added.set(name, undefined)
    this.added.set(section, added)
    this.waiting.push(() => added.set(name, this.rewrite(target.value, kind, target.file)))
    return name
  }

  private sectionOfRoot(section: string): Tree {
    const root = toTree(this.parts.root.value)
    return toTree((this.isSwagger ? root : toTree(root['components']))[section])
  }

  /**
   * Values of a mapping are names of schemas, or references (OpenAPI 3.1 §4.8.25). They only describe, so that nothing is
   * fetched for them, and one that leads nowhere stays as it is.
   */
  private rewriteMapping(schema: Tree, file: SpecFile): Tree {
    const discriminator = schema['discriminator']
    if (!isTree(discriminator) || !isTree(discriminator['mapping'])) return schema
    const mapping = mapValues(discriminator['mapping'], (value) => {
      const isReference = typeof value === 'string' && /[#/]|\.(?:json|ya?ml)$/.test(value)
      return isReference ? this.rewriteMapped(value, file) : value
    })
    return { ...schema, discriminator: { ...discriminator, mapping } }
  }

  private rewriteMapped(reference: string, file: SpecFile): string {
    const { root } = this.parts
    try {
      const target = followReference(reference, file, (address) => this.parts.peek(address, file))
      if (target.file === root) return toFragment(target.pointer)
      const section = this.isSwagger ? ['definitions'] : ['components', 'schemas']
      return toFragment([...section, this.nameOf(target, section.at(-1) ?? '', 'schema')])
    } catch (error) {
      if (!(error instanceof ReferenceFault)) throw error
      return reference
    }
  }
}

function toBaseName({ file, pointer }: Located): string {
  const fileName = /([^/]*?)(?:\.[^./]*)?(?:\?.*)?$/.exec(file.source.file)?.[1]
  const last = pointer.at(-1) ?? fileName ?? ''
  const name = String(last).replaceAll(/[^A-Za-z0-9._-]/g, '_')
  return name === '' ? 'part' : name
}

/** A pointer in a reference is a fragment of a URL, so its keys are encoded (RFC 6901 §6). */
function toFragment(pointer: KeyPath): string {
  return toPointer(pointer.map((key) => encodeURIComponent(String(key)).replaceAll('%2F', '/').replaceAll('%7E', '~')))
}

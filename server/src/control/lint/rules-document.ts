/** Rules about the document as a whole, its servers and its paths. */
import { isTree, listOf, toTree } from '../../config/openapi/json-tree.ts'
import { parameterNamesOf } from '../../kernel/path-template.ts'
import { defineLintRule, type LintRule } from './lint-rule.ts'

const isText = (value: unknown): boolean => typeof value === 'string' && value.trim() !== ''

export const documentRules: readonly LintRule[] = [
  defineLintRule({
    id: 'info-title',
    severity: 'error',
    title: 'The document has a title and a version.',
    remedy: 'Add `info.title` and `info.version`.',
    whole({ document }, tell) {
      const info = toTree(document['info'])
      for (const key of ['title', 'version']) if (!isText(info[key])) tell(['info', key], `the document has no ${key}`)
    },
  }),
  defineLintRule({
    id: 'info-description',
    severity: 'warning',
    title: 'The document says what the API is for.',
    remedy: 'Add `info.description`.',
    whole({ document }, tell) {
      if (!isText(toTree(document['info'])['description'])) tell(['info', 'description'], 'the API is not described')
    },
  }),
  defineLintRule({
    id: 'info-contact',
    severity: 'info',
    title: 'The document says whom to ask.',
    remedy: 'Add `info.contact` with a name, URL or e-mail address.',
    whole({ document }, tell) {
      if (Object.keys(toTree(toTree(document['info'])['contact'])).length === 0)
        tell(['info', 'contact'], 'nobody is named')
    },
  }),
  defineLintRule({
    id: 'servers-https',
    severity: 'warning',
    title: 'Servers are called over TLS.',
    remedy: 'Write `https://`.',
    whole({ document }, tell) {
      for (const [index, server] of listOf(document['servers']).entries()) {
        const { url } = toTree(server)
        const isLocal = /^http:\/\/(?:localhost|127\.|\[::1\])/.test(String(url))
        if (typeof url === 'string' && url.startsWith('http://') && !isLocal)
          tell(['servers', index, 'url'], `${url} is not encrypted`)
      }
    },
  }),
  defineLintRule({
    id: 'path-form',
    severity: 'warning',
    title: 'A path has neither query, fragment, empty segment nor slash at its end.',
    remedy: 'Declare parameters of the query as such, and remove the slash.',
    whole({ document }, tell) {
      for (const path of Object.keys(toTree(document['paths']))) {
        if (path.startsWith('x-')) continue
        const what = /[?]/.test(path)
          ? 'a query'
          : path.includes('#')
            ? 'a fragment'
            : path.includes('//')
              ? 'an empty segment'
              : undefined
        if (what !== undefined) tell(['paths', path], `the path has ${what}`)
        else if (path.length > 1 && path.endsWith('/')) tell(['paths', path], 'the path ends with a slash')
      }
    },
  }),
  defineLintRule({
    id: 'path-parameters',
    severity: 'error',
    title: 'Parameters of a path are declared, and those that are declared stand in it.',
    remedy: 'Declare it with `in: path` and `required: true`, or take it out.',
    whole({ operations }, tell) {
      for (const { path, at, parameters } of operations) {
        const names = new Set(parameterNamesOf(path))
        const declared = parameters.filter(({ value }) => value['in'] === 'path')
        for (const { value, at: place } of declared) {
          if (!names.has(String(value['name']))) tell(place, `{${String(value['name'])}} does not stand in the path`)
          else if (value['required'] !== true)
            tell([...place, 'required'], `{${String(value['name'])}} does not say that it is required`)
        }
        for (const name of names) {
          if (!declared.some(({ value }) => value['name'] === name))
            tell(at, `the parameter {${name}} of the path is not declared`)
        }
      }
    },
  }),
  defineLintRule({
    id: 'tags-described',
    severity: 'info',
    title: 'Tags that operations use are described.',
    remedy: 'Add the tag with a description to `tags`.',
    whole({ document, operations }, tell) {
      const known = new Set(listOf(document['tags']).map((tag) => toTree(tag)['name']))
      const told = new Set<unknown>()
      for (const { value, at } of operations) {
        for (const [index, tag] of listOf(value['tags']).entries()) {
          if (known.has(tag) || told.has(tag)) continue
          told.add(tag)
          tell([...at, 'tags', index], `the tag ${JSON.stringify(tag)} is not described`)
        }
      }
    },
  }),
  defineLintRule({
    id: 'reference-resolves',
    severity: 'error',
    title: 'References lead to something in the document.',
    remedy: 'Mend the reference, or import the document with the files that it refers to.',
    whole(view, tell) {
      const open: { value: unknown; path: (string | number)[] }[] = [
        { value: view.document['paths'], path: ['paths'] },
        { value: view.document['components'], path: ['components'] },
      ]
      for (let at = open.pop(); at !== undefined; at = open.pop()) {
        const { value, path } = at
        if (Array.isArray(value)) value.forEach((each, index) => open.push({ value: each, path: [...path, index] }))
        if (!isTree(value)) continue
        const reference = value['$ref']
        if (typeof reference === 'string' && view.lookUp(reference) === undefined)
          tell([...path, '$ref'], `${reference} leads to nothing`)
        for (const [key, inner] of Object.entries(value)) {
          if (!DATA.has(key) && typeof inner === 'object') open.push({ value: inner, path: [...path, key] })
        }
      }
    },
  }),
]

/** Keys below which stands data that only looks like a reference. */
const DATA = new Set(['example', 'examples', 'default', 'enum', 'const', 'value'])

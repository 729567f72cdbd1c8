/** What a scenario hands back: a table, the bars that it was held against, and notes. */

export interface Bar {
  /** What the bar is about, as the summary shows it. */
  what: string
  /** What was asked for, such as `≤ 1.6 × nginx`. */
  wanted: string
  /** What came out, with its interval where there is one. */
  measured: string
  passed: boolean
}

export interface Section {
  title: string
  header: string[]
  rows: string[][]
  bars: Bar[]
  notes: string[]
}

export function markdownTable(header: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`
  const rule = header.map((_, index) => (index === 0 ? '---' : '---:'))
  return [line(header), `|${rule.join('|')}|`, ...rows.map(line)].join('\n')
}

export function formatSection(section: Section): string {
  const bars = section.bars.map((bar) => `- ${verdict(bar)}: ${bar.what} ${bar.wanted}: ${bar.measured}`)
  const notes = section.notes.map((note) => `- ${note}`)
  const blocks = [`## ${section.title}`, markdownTable(section.header, section.rows), bars.join('\n'), notes.join('\n')]
  return blocks.filter((block) => block !== '').join('\n\n')
}

export const notMeasured = 'not measured'

export function verdict(bar: Bar): string {
  if (bar.measured === notMeasured) return '–'
  return bar.passed ? 'pass' : '**FAIL**'
}

/** Three significant digits for small numbers, thousands separated for large ones. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value >= 1000) return Math.round(value).toLocaleString('en')
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)
}

export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}

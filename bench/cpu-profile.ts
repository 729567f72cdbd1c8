/** Reads a `.cpuprofile` of V8 and says which functions, and which files, the time went to. */
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { repository } from './subjects/headgate.ts'

interface ProfileNode {
  id: number
  callFrame: { functionName: string; url: string; lineNumber: number }
}

interface Profile {
  nodes: ProfileNode[]
  samples: number[]
  timeDeltas: number[]
}

export interface ProfileSummary {
  busySeconds: number
  text: string
}

const shownFunctions = 45
const shownFiles = 25

/** Self time by function and by file, as shares of the time in which the thread did anything. */
export function summarizeCpuProfile(json: string): ProfileSummary {
  const profile: Profile = JSON.parse(json)
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const functions = new Map<string, number>()
  const files = new Map<string, number>()
  let busyMicros = 0
  for (const [index, id] of profile.samples.entries()) {
    const node = nodes.get(id)
    const micros = profile.timeDeltas[index] ?? 0
    if (node === undefined || node.callFrame.functionName === '(idle)') continue
    busyMicros += micros
    const file = fileOf(node)
    add(files, file, micros)
    add(functions, `${node.callFrame.functionName || '(anonymous)'}  ${file}:${node.callFrame.lineNumber + 1}`, micros)
  }
  const text = [
    `busy for ${(busyMicros / 1e6).toFixed(2)} s`,
    `\nself time by file:\n${top(files, busyMicros, shownFiles)}`,
    `\nself time by function:\n${top(functions, busyMicros, shownFunctions)}`,
  ].join('\n')
  return { busySeconds: busyMicros / 1e6, text }
}

/** V8 gives its own work, such as garbage collection, a name in brackets and no file. */
function fileOf({ callFrame }: ProfileNode): string {
  if (callFrame.url === '') return callFrame.functionName.startsWith('(') ? callFrame.functionName : '(native)'
  return callFrame.url.startsWith('file:') ? relative(repository, fileURLToPath(callFrame.url)) : callFrame.url
}

function add(sums: Map<string, number>, key: string, micros: number): void {
  sums.set(key, (sums.get(key) ?? 0) + micros)
}

function top(sums: Map<string, number>, total: number, count: number): string {
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([key, micros]) => `${((100 * micros) / total).toFixed(1).padStart(6)} %  ${key}`)
    .join('\n')
}

/** When and on which state of the code figures were measured: without both, nobody can say whether they still hold. */
import { commandOutput } from './measure/process.ts'

/** As it was when the command began: a run takes up to an hour, and somebody may commit meanwhile. */
export const measuredState = readState()

function readState(): string {
  const git = (...args: string[]): string => commandOutput('git', ['-C', import.meta.dirname, ...args])
  const commit = git('rev-parse', '--short=7', 'HEAD')
  const isKnown = /^[0-9a-f]{7,}$/.test(commit)
  const isChanged = isKnown && git('status', '--porcelain', '--untracked-files=no') !== ''
  const state = isKnown ? `, at commit ${commit}${isChanged ? ' with changes' : ''}` : ''
  return `on ${new Date().toISOString().slice(0, 10)}${state}`
}

/** Compiles the file that it is given, as a gateway does, and tells how nice the process that does it is to all others. */
import { readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { compileInChild } from '../../src/gateway/process/compile-in-child.ts'

const [, , path = '', cacheFolder = ''] = process.argv
const compiling = compileInChild({ path, environment: {}, cacheFolder })
const found = new Set<number>()
let isDone = false
void compiling.finally(() => (isDone = true)).catch(() => undefined)
while (!isDone) {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ')
  for (const id of children) if (id !== '') found.add(getPriority(Number(id)))
  await sleep(1)
}
const { kind } = await compiling
process.stdout.write(JSON.stringify({ kind, niceness: [...found] }))

/** The facts without which figures mean nothing: the machine, the kernel, and the versions of everything. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { cpus, release, totalmem, version } from 'node:os'
import { commandOutput } from './measure/process.ts'
import { scratchRoot } from './scratch.ts'
import { caddy } from './subjects/caddy.ts'
import { envoy } from './subjects/envoy.ts'
import { haproxy } from './subjects/haproxy.ts'
import { headgate } from './subjects/headgate.ts'
import { createNginx } from './subjects/nginx.ts'
import { traefik } from './subjects/traefik.ts'

export function machineFacts(): string[][] {
  const subjects = [headgate, createNginx(), haproxy, envoy, traefik, caddy]
  return [
    ['processor', `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores${hypervisor()}`],
    ['memory', `${Math.round(totalmem() / 1e9)} GB`],
    ['kernel', `Linux ${release()} (${version()})`],
    ...subjects.map((subject) => [subject.name, subject.missing() ?? subject.version()]),
    ['files of the run', scratchRoot()],
    [
      'load generators',
      `${wrkVersion()}, ${commandOutput('h2load', ['--version'])}, and the paced generator of this folder`,
    ],
  ]
}

function wrkVersion(): string {
  return /wrk \S+/.exec(commandOutput('wrk', ['-v']))?.[0] ?? 'wrk'
}

/** A virtual machine's figures carry its neighbours' noise. */
function hypervisor(): string {
  return /^flags\s*:.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8')) ? ', virtual' : ''
}

/** How busy other programs keep the machine while the bench does nothing, as a share of all cores (0 to 1). */
export async function foreignLoad(): Promise<number> {
  const before = processorTicks()
  await sleep(1_500)
  const after = processorTicks()
  return (after.busy - before.busy) / Math.max(after.all - before.all, 1)
}

/** Starts to watch what the hypervisor takes; the function tells it as a share of all cores (0 to 1) since then. */
export function watchStolen(): () => number {
  const before = processorTicks()
  return () => {
    const after = processorTicks()
    return (after.stolen - before.stolen) / Math.max(after.all - before.all, 1)
  }
}

/** First line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal and more, in ticks since boot. */
function processorTicks(): { busy: number; stolen: number; all: number } {
  const [, line = ''] = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8')) ?? []
  const ticks = line.split(' ').map(Number)
  const all = ticks.slice(0, 8).reduce((sum, value) => sum + value, 0)
  return { busy: all - (ticks[3] ?? 0) - (ticks[4] ?? 0), stolen: ticks[7] ?? 0, all }
}

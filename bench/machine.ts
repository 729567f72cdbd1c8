/** The facts without which figures mean nothing: the machine, the kernel, and the versions of everything. */
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, version } from 'node:os'
import { commandOutput } from './measure/process.ts'
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

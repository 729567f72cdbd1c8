/** What is compared: a gateway that can be started on a job, and the place in which it runs. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, lastWords, processTree, startProcess, waitForPort, type Started } from '../measure/process.ts'

/** The core of the gateway; load generator, backend and the bench itself share the other one. */
export const gatewayCore = 0
export const loadCore = 1

/** What a gateway is asked to do. Every subject does it with its own means, or says that it cannot. */
export interface Job {
  inbound: 'http1' | 'tls' | 'http2'
  /** bare: forward only. key: API key, limit per key, access log. jwt: signed token, limit, access log. */
  policies: 'bare' | 'key' | 'jwt'
  /** `never` is so high that no request meets it, `always` so low that all but the first do. */
  limit: 'never' | 'always'
  routes: number
  keys: number
}

export const standardJob: Job = { inbound: 'http1', policies: 'key', limit: 'never', routes: 10, keys: 10 }

export interface Workplace {
  /** Scratch directory of this bench. */
  directory: string
  backendPort: number
  certificateFile: string
  privateKeyFile: string
  keySetFile: string
}

export interface Running {
  port: number
  pid: number
  /** All processes of the subject as they are now: master, workers. */
  pids: () => number[]
  /** Where access log lines arrive; absent when the job asks for none. */
  logFile?: string
  /** The end of what it wrote to its standard error. */
  said: () => string
  stop: () => Promise<void>
}

export interface Subject {
  name: string
  /** What is installed, as the program itself says it. */
  version: () => string
  /** Why it cannot be measured here, as a sentence that says what to install; undefined when it can. */
  missing: () => string | undefined
  /** How its work differs from the others', for the notes under the table. */
  note?: string
  start: (job: Job, place: Workplace) => Promise<Running>
}

/** What a subject needs to write its configuration. */
export interface Site {
  port: number
  /** Directory of this one process. */
  directory: string
  logFile: string
}

export interface Command {
  command: string
  args: string[]
  env?: Record<string, string>
  /** The program logs to its standard output, which then is the log file. */
  logsToStdout?: boolean
}

let launches = 0

/** Starts one gateway on its core: `prepare` writes the files and says what to run. */
export async function startGateway(
  name: string,
  job: Job,
  place: Workplace,
  prepare: (site: Site) => Command | Promise<Command>,
): Promise<Running> {
  const directory = join(place.directory, `${name.replaceAll(' ', '-')}-${++launches}`)
  mkdirSync(directory, { recursive: true })
  const site: Site = { port: await freePort(), directory, logFile: join(directory, 'access.log') }
  const command = await prepare(site)
  writeFileSync(site.logFile, '')
  const stderrFile = join(directory, 'stderr')
  const started = startProcess({
    name,
    command: command.command,
    args: command.args,
    core: gatewayCore,
    stdoutFile: command.logsToStdout ? site.logFile : join(directory, 'stdout'),
    stderrFile,
    env: command.env ?? {},
  })
  await waitForPort(site.port, started, stderrFile)
  return toRunning(started, site, job, stderrFile)
}

function toRunning(started: Started, site: Site, job: Job, stderrFile: string): Running {
  const running: Running = {
    port: site.port,
    pid: started.pid,
    pids: () => processTree(started.pid),
    stop: started.stop,
    said: () => lastWords(stderrFile),
  }
  return job.policies === 'bare' ? running : { ...running, logFile: site.logFile }
}

/**
 * Headgate with one worker, its access log on standard output into a file. It is what the package ships, JavaScript built
 * from this checkout: whoever runs it in earnest has no types to strip, for which a checkout takes 30 MB more.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandOutput, freePort } from '../measure/process.ts'
import { apiKey, basePath, consumerName, routePath, tokenAudience, tokenIssuer } from '../workload.ts'
import { startGateway, type Job, type Running, type Site, type Subject, type Workplace } from './subject.ts'

export const repository = join(import.meta.dirname, '..', '..')

export interface HeadgateOptions {
  name: string
  workers: number
  /** What is run; that of another checkout, to compare with it. */
  program: string
  /** Put before node's own arguments, such as a profiler. */
  wrapper: string[]
  nodeArguments: string[]
  /** Changes the configuration that the job gives. */
  adjust: (configuration: HeadgateConfiguration, place: Workplace) => HeadgateConfiguration
}

export interface RunningHeadgate extends Running {
  configFile: string
  metricsPort: number
}

/** The parts of `headgate.yaml` that a bench writes; JSON is YAML as well. */
export interface HeadgateConfiguration {
  headgate: 1
  gateway: Record<string, unknown>
  upstreams: object[]
  apis: HeadgateApi[]
  consumers: object[]
}

export interface HeadgateApi {
  name: string
  basePath: string
  upstream: string
  policies: object[]
  routes: object[]
}

export const plainHeadgate: HeadgateOptions = {
  name: 'headgate',
  workers: 1,
  program: join(repository, 'server', 'dist', 'bin', 'headgate.js'),
  wrapper: [],
  nodeArguments: [],
  adjust: (configuration) => configuration,
}

export const headgate = createHeadgate()

/** Throws when the sources do not compile. */
export function buildHeadgate(): void {
  execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', join(repository, 'scripts', 'build.ts')], {
    stdio: 'inherit',
  })
}

export function createHeadgate(changes: Partial<HeadgateOptions> = {}): Subject {
  const options = { ...plainHeadgate, ...changes }
  return {
    name: options.name,
    version: () =>
      `Headgate ${commandOutput('git', ['-C', repository, 'rev-parse', '--short', 'HEAD'])}, Node ${process.version}`,
    missing: () => (existsSync(options.program) ? undefined : 'server/dist is not built'),
    start: (job, place) => startHeadgate(options, job, place),
  }
}

/** Starts Headgate and also tells where its file and its metrics are. */
export async function startHeadgate(options: HeadgateOptions, job: Job, place: Workplace): Promise<RunningHeadgate> {
  const metricsPort = await freePort()
  const otherPort = await freePort()
  let configFile = ''
  const running = await startGateway(options.name, job, place, (site) => {
    configFile = join(site.directory, 'headgate.yaml')
    writeFileSync(configFile, JSON.stringify(options.adjust(headgateConfiguration(job, place), place), null, 1))
    const [command, ...before] = [...options.wrapper, process.execPath]
    return {
      command,
      args: [...before, ...options.nodeArguments, options.program, 'gateway', '--config', configFile],
      env: environment(options, job, site, { metricsPort, otherPort }),
      logsToStdout: true,
    }
  })
  return { ...running, configFile, metricsPort }
}

/** With TLS the gateway also keeps its plain port; the load goes to the one that the job is about. */
function environment(
  options: HeadgateOptions,
  job: Job,
  site: Site,
  ports: { metricsPort: number; otherPort: number },
): Record<string, string> {
  const [plain, secure] = job.inbound === 'tls' ? [ports.otherPort, site.port] : [site.port, ports.otherPort]
  return {
    HEADGATE_WORKERS: String(options.workers),
    HEADGATE_GATEWAY_PORT: String(plain),
    HEADGATE_GATEWAY_TLS_PORT: String(secure),
    HEADGATE_METRICS_PORT: String(ports.metricsPort),
    HEADGATE_BIND: '127.0.0.1',
  }
}

export function headgateConfiguration(job: Job, place: Workplace): HeadgateConfiguration {
  return {
    headgate: 1,
    gateway: {
      accessLog: { enabled: job.policies !== 'bare' },
      limits: { idleSeconds: 3600 },
      ...(job.inbound === 'tls' ? { tls: certificates(place) } : {}),
    },
    upstreams: [{ name: 'backend', targets: [{ url: `http://127.0.0.1:${place.backendPort}` }] }],
    apis: [
      {
        name: 'books',
        basePath,
        upstream: 'backend',
        policies: policies(job, place),
        routes: Array.from({ length: job.routes }, (_, index) => ({
          name: `read-${index}`,
          match: { methods: ['GET'], path: routePath(index) },
        })),
      },
    ],
    consumers:
      job.policies === 'key'
        ? Array.from({ length: job.keys }, (_, index) => ({
            name: consumerName(index),
            keys: [{ value: apiKey(index) }],
          }))
        : [],
  }
}

function certificates(place: Workplace): object {
  return { certificates: [{ cert: `file:${place.certificateFile}`, key: `file:${place.privateKeyFile}` }] }
}

function policies(job: Job, place: Workplace): object[] {
  if (job.policies === 'bare') return []
  const limit = job.limit === 'never' ? { limit: 1_000_000, windowSeconds: 1 } : { limit: 1, windowSeconds: 3600 }
  const authentication = job.policies === 'key' ? { kind: 'key-auth' } : tokenPolicy(place)
  return [authentication, { kind: 'rate-limit', config: limit }]
}

function tokenPolicy(place: Workplace): object {
  const jwks: unknown = JSON.parse(readFileSync(place.keySetFile, 'utf8'))
  return { kind: 'jwt', config: { issuer: tokenIssuer, audiences: [tokenAudience], jwks } }
}

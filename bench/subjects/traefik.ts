/** Traefik with its rateLimit middleware and JSON access log. It has no API keys of its own: its limit reads the key header. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandOutput } from '../measure/process.ts'
import { missingPeer, peerProgram } from '../peers.ts'
import { basePath } from '../workload.ts'
import { startGateway, type Job, type Site, type Subject, type Workplace } from './subject.ts'

export const traefik: Subject = {
  name: 'traefik',
  version: () => `Traefik ${/Version:\s+(\S+)/.exec(commandOutput(peerProgram('traefik'), ['version']))?.[1] ?? ''}`,
  missing: () => missingPeer('traefik'),
  note: 'Traefik has no API keys: it limits by the key header without checking it, so its work is less than the others’.',
  start: (job, place) =>
    startGateway('traefik', job, place, (site) => {
      const file = join(site.directory, 'traefik.yaml')
      writeFileSync(join(site.directory, 'routes.yaml'), JSON.stringify(routes(job, place)))
      writeFileSync(file, JSON.stringify(settings(job, site)))
      return { command: peerProgram('traefik'), args: [`--configFile=${file}`], env: { GOMAXPROCS: '1' } }
    }),
}

function settings(job: Job, site: Site): object {
  return {
    global: { checkNewVersion: false, sendAnonymousUsage: false },
    entryPoints: { web: { address: `127.0.0.1:${site.port}` } },
    providers: { file: { filename: join(site.directory, 'routes.yaml') } },
    serversTransport: { maxIdleConnsPerHost: 1024 },
    log: { level: 'ERROR' },
    ...(job.policies === 'bare' ? {} : { accessLog: { filePath: site.logFile, format: 'json', bufferingSize: 256 } }),
  }
}

function routes(job: Job, place: Workplace): object {
  const limit =
    job.limit === 'never' ? { average: 1_000_000, burst: 1_000_000 } : { average: 1, period: '1h', burst: 1 }
  return {
    http: {
      routers: {
        books: {
          rule: `PathPrefix(\`${basePath}/\`)`,
          entryPoints: ['web'],
          middlewares: job.policies === 'bare' ? ['strip'] : ['limit', 'strip'],
          service: 'backend',
        },
      },
      middlewares: {
        strip: { stripPrefix: { prefixes: [basePath] } },
        limit: { rateLimit: { ...limit, sourceCriterion: { requestHeaderName: 'X-Api-Key' } } },
      },
      services: { backend: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${place.backendPort}` }] } } },
    },
  }
}

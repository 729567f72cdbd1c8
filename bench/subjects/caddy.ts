/** Caddy as a bare reverse proxy: no key, no limit, no log. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandOutput } from '../measure/process.ts'
import { missingPeer, peerProgram } from '../peers.ts'
import { basePath } from '../workload.ts'
import { startGateway, type Site, type Subject, type Workplace } from './subject.ts'

export const caddy: Subject = {
  name: 'caddy',
  version: () => `Caddy ${commandOutput(peerProgram('caddy'), ['version']).split(' ')[0]}`,
  missing: () => missingPeer('caddy'),
  note: 'Caddy only forwards (no key, no limit, no log), so its work is less than the others’.',
  start: (job, place) =>
    startGateway('caddy', { ...job, policies: 'bare' }, place, (site) => {
      const file = join(site.directory, 'Caddyfile')
      writeFileSync(file, caddyfile(site, place))
      const env = { GOMAXPROCS: '1', XDG_DATA_HOME: site.directory, XDG_CONFIG_HOME: site.directory }
      return { command: peerProgram('caddy'), args: ['run', '--config', file, '--adapter', 'caddyfile'], env }
    }),
}

function caddyfile(site: Site, place: Workplace): string {
  return `{
  admin off
  auto_https off
  persist_config off
}
http://:${site.port} {
  bind 127.0.0.1
  handle_path ${basePath}/* {
    reverse_proxy 127.0.0.1:${place.backendPort} {
      transport http {
        keepalive_idle_conns_per_host 1024
      }
    }
  }
}
`
}

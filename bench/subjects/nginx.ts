/** nginx doing the same work: it is the yardstick, so its configuration is tuned as its manual advises. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandOutput, hasCommand } from '../measure/process.ts'
import { apiKey, basePath, consumerName } from '../workload.ts'
import { startGateway, type Job, type Site, type Subject, type Workplace } from './subject.ts'

export function createNginx(name = 'nginx'): Subject {
  return {
    name,
    version: () => commandOutput('nginx', ['-v']).replace('nginx version: ', ''),
    missing: () => (hasCommand('nginx') ? undefined : 'nginx is not installed: apt-get install nginx-light'),
    start: (job, place) =>
      startGateway(name, job, place, (site) => {
        const file = join(site.directory, 'nginx.conf')
        writeFileSync(file, nginxConfiguration(job, site, place))
        return { command: 'nginx', args: ['-p', site.directory, '-c', file] }
      }),
  }
}

function nginxConfiguration(job: Job, site: Site, place: Workplace): string {
  const policies = job.policies === 'key'
  return `daemon off;
worker_processes 1;
pid ${site.directory}/pid;
error_log ${site.directory}/error.log crit;
events { worker_connections 16384; }
http {
  keepalive_requests 1000000000;
  keepalive_timeout 3600;
  ${temporaryPaths(site.directory)}
  ${policies ? policyDefinitions(job, site) : 'access_log off;'}
  upstream backend {
    server 127.0.0.1:${place.backendPort};
    keepalive 1024;
    keepalive_requests 1000000000;
  }
  server {
    ${listen(job, site, place)}
    location ${basePath}/ {
      ${policies ? policySteps(job) : ''}
      proxy_pass http://backend/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
    }
  }
}
`
}

/** Debian's nginx insists on writable places for bodies, also when it never writes one. */
export function temporaryPaths(directory: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${directory}/${kind};`)
    .join(' ')
}

function listen(job: Job, site: Site, place: Workplace): string {
  const address = `127.0.0.1:${site.port}`
  if (job.inbound === 'http2') return `listen ${address} http2 backlog=4096;`
  if (job.inbound === 'http1') return `listen ${address} backlog=4096;`
  return `listen ${address} ssl backlog=4096;
    ssl_certificate ${place.certificateFile};
    ssl_certificate_key ${place.privateKeyFile};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:tls:10m;`
}

/** The log is buffered as Headgate's is; unbuffered, nginx would pay one system call a request more. */
function policyDefinitions(job: Job, site: Site): string {
  const keys = Array.from({ length: job.keys }, (_, index) => `    "${apiKey(index)}" ${consumerName(index)};`)
  const rate = job.limit === 'never' ? '1000000r/s' : '1r/m'
  return `map_hash_max_size 65536;
  map_hash_bucket_size 128;
  map $http_x_api_key $consumer {
    default "";
${keys.join('\n')}
  }
  limit_req_zone $consumer zone=consumers:10m rate=${rate};
  limit_req_status 429;
  limit_req_log_level info;
  log_format record escape=json '{"time":"$time_iso8601","requestId":"$request_id","consumer":"$consumer",'
    '"client":"$remote_addr","method":"$request_method","host":"$http_host","path":"$request_uri",'
    '"protocol":"$server_protocol","status":$status,"bytesIn":$request_length,"bytesOut":$bytes_sent,'
    '"durationSeconds":$request_time,"upstreamSeconds":"$upstream_response_time","userAgent":"$http_user_agent"}';
  access_log ${site.logFile} record buffer=64k flush=1s;`
}

function policySteps(job: Job): string {
  const burst = job.limit === 'never' ? ' burst=1000000 nodelay' : ''
  return `default_type application/problem+json;
      if ($consumer = "") { return 401 '{"type":"about:blank","title":"Key missing or unknown","status":401}'; }
      limit_req zone=consumers${burst};
      add_header X-Request-Id $request_id always;
      proxy_set_header X-Request-Id $request_id;
      proxy_set_header X-Api-Key "";`
}

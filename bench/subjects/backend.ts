/**
 * The upstream of every subject: an nginx that answers 1,024 bytes of JSON from memory, on the load generator's core. It
 * costs about 9 µs a request, so it never is the bottleneck, and it can say what arrived when a check asks for it.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, startProcess, waitForPort } from '../measure/process.ts'
import { temporaryPaths } from './nginx.ts'
import { loadCore } from './subject.ts'

export const backendBody = jsonOf(1024)

export interface Backend {
  port: number
  /** How many connections it has accepted so far: tells whether a gateway keeps them alive. */
  acceptedConnections: () => Promise<number>
  stop: () => Promise<void>
}

export async function startBackend(directory: string): Promise<Backend> {
  const place = join(directory, 'backend')
  mkdirSync(place, { recursive: true })
  const port = await freePort()
  const statusPort = await freePort()
  const file = join(place, 'nginx.conf')
  writeFileSync(file, configuration(place, port, statusPort))
  const stderrFile = join(place, 'stderr')
  const started = startProcess({
    name: 'backend',
    command: 'nginx',
    args: ['-p', place, '-c', file],
    core: loadCore,
    stdoutFile: join(place, 'stdout'),
    stderrFile,
  })
  await waitForPort(port, started, stderrFile)
  return { port, acceptedConnections: () => readAccepted(statusPort), stop: started.stop }
}

async function readAccepted(statusPort: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${statusPort}/`)).text()
  return Number(/requests\s+(\d+)/.exec(text)?.[1])
}

/** A request with `X-Bench-Check: 1` learns from the answer which id and key the backend received. */
function configuration(place: string, port: number, statusPort: number): string {
  return `daemon off;
worker_processes 1;
pid ${place}/pid;
error_log ${place}/error.log crit;
events { worker_connections 16384; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 3600;
  ${temporaryPaths(place)}
  map $http_x_bench_check $seen { default ""; "1" "id=$http_x_request_id key=$http_x_api_key path=$request_uri"; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    default_type application/json;
    location / {
      add_header Cache-Control "private, max-age=0, must-revalidate";
      add_header ETag '"33a64df551425fcc55e4d42a148795d9"';
      add_header Vary "Accept-Encoding, Origin";
      add_header Strict-Transport-Security "max-age=31536000";
      add_header X-Content-Type-Options nosniff;
      add_header X-Seen $seen;
      return 200 '${backendBody}';
    }
  }
  server {
    listen 127.0.0.1:${statusPort};
    location / { stub_status; }
  }
}
`
}

/** A JSON document of exactly that many bytes. */
function jsonOf(bytes: number): string {
  const books = Array.from({ length: 14 }, (_, id) => ({ id, title: 'The gate at the head of a canal', price: 12.5 }))
  const empty = JSON.stringify({ books, note: '' })
  return JSON.stringify({ books, note: 'n'.repeat(bytes - empty.length) })
}

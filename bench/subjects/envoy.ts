/** Envoy with its own filters for the same work: api_key_auth or jwt_authn, local_ratelimit per client, file access log. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandOutput } from '../measure/process.ts'
import { missingPeer, peerProgram } from '../peers.ts'
import { apiKey, basePath, consumerName, tokenAudience, tokenIssuer } from '../workload.ts'
import { startGateway, type Job, type Site, type Subject, type Workplace } from './subject.ts'

const extensions = 'type.googleapis.com/envoy.extensions'
const clientHeader = 'x-client-id'

export const envoy: Subject = {
  name: 'envoy',
  version: () =>
    commandOutput(peerProgram('envoy'), ['--version']).replace(/^.*version: \w+\/([^/]+)\/.*$/s, 'Envoy $1'),
  missing: () => missingPeer('envoy'),
  note: 'Envoy normalises paths, passes the host on and tells the limit in its answers, as Headgate does; nginx and HAProxy have no such answer.',
  start: (job, place) =>
    startGateway('envoy', job, place, (site) => {
      const file = join(site.directory, 'envoy.json')
      writeFileSync(file, JSON.stringify(configuration(job, site, place)))
      const args = [
        '-c',
        file,
        '--concurrency',
        '1',
        '--disable-hot-restart',
        '-l',
        'error',
        '--file-flush-interval-msec',
        '1000',
      ]
      return { command: peerProgram('envoy'), args }
    }),
}

function configuration(job: Job, site: Site, place: Workplace): object {
  const listener = {
    name: 'clients',
    address: socketAddress(site.port),
    filter_chains: [{ filters: [connectionManager(job, site, place)] }],
  }
  const backend = {
    name: 'backend',
    type: 'STATIC',
    connect_timeout: '5s',
    load_assignment: {
      cluster_name: 'backend',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(place.backendPort) } }] }],
    },
  }
  return { static_resources: { listeners: [listener], clusters: [backend] } }
}

function connectionManager(job: Job, site: Site, place: Workplace): object {
  const route = {
    cluster: 'backend',
    prefix_rewrite: '/',
    ...(job.policies === 'bare' ? {} : { rate_limits: rateLimits }),
  }
  const forwardedHost = { header: { key: 'x-forwarded-host', value: '%REQ(:AUTHORITY)%' } }
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': `${extensions}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: 'clients',
      codec_type: 'AUTO',
      use_remote_address: true,
      // As Envoy's manual advises at the edge; nginx and Headgate match normalised paths, too.
      normalize_path: true,
      merge_slashes: true,
      always_set_request_id_in_response: true,
      ...(job.policies === 'bare' ? {} : { access_log: [accessLog(site)] }),
      http_filters: [...policyFilters(job, place), filter('router', 'Router', {})],
      route_config: {
        request_headers_to_add: [forwardedHost],
        virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: `${basePath}/` }, route }] }],
      },
    },
  }
}

function policyFilters(job: Job, place: Workplace): object[] {
  if (job.policies === 'bare') return []
  return [job.policies === 'key' ? keyFilter(job) : tokenFilter(place), limitFilter(job)]
}

function keyFilter(job: Job): object {
  const credentials = Array.from({ length: job.keys }, (_, index) => ({
    key: apiKey(index),
    client: consumerName(index),
  }))
  return filter('api_key_auth', 'ApiKeyAuth', {
    credentials,
    key_sources: [{ header: 'x-api-key' }],
    forwarding: { header: clientHeader, hide_credentials: true },
  })
}

function tokenFilter(place: Workplace): object {
  return filter('jwt_authn', 'JwtAuthentication', {
    providers: {
      login: {
        issuer: tokenIssuer,
        audiences: [tokenAudience],
        local_jwks: { inline_string: readFileSync(place.keySetFile, 'utf8') },
        claim_to_headers: [{ header_name: clientHeader, claim_name: 'sub' }],
      },
    },
    rules: [{ match: { prefix: '/' }, requires: { provider_name: 'login' } }],
  })
}

const rateLimits = [{ actions: [{ request_headers: { header_name: clientHeader, descriptor_key: 'client' } }] }]

/** One bucket per client, so that the limit is looked up by who calls, as everywhere else in this comparison. */
function limitFilter(job: Job): object {
  const tokens = job.limit === 'never' ? 1_000_000 : 1
  const bucket = { max_tokens: tokens, tokens_per_fill: tokens, fill_interval: job.limit === 'never' ? '1s' : '3600s' }
  const always = { default_value: { numerator: 100, denominator: 'HUNDRED' } }
  const descriptors = Array.from({ length: job.keys }, (_, index) => ({
    entries: [{ key: 'client', value: consumerName(index) }],
    token_bucket: bucket,
  }))
  return filter('local_ratelimit', 'LocalRateLimit', {
    stat_prefix: 'limit',
    // Every answer says what is left of the limit, as Headgate's do.
    enable_x_ratelimit_headers: 'DRAFT_VERSION_03',
    token_bucket: { max_tokens: 1_000_000, tokens_per_fill: 1_000_000, fill_interval: '1s' },
    filter_enabled: always,
    filter_enforced: always,
    descriptors,
  })
}

function accessLog(site: Site): object {
  return {
    name: 'envoy.access_loggers.file',
    typed_config: {
      '@type': `${extensions}.access_loggers.file.v3.FileAccessLog`,
      path: site.logFile,
      log_format: {
        json_format: {
          time: '%START_TIME%',
          requestId: '%REQ(X-REQUEST-ID)%',
          consumer: `%REQ(${clientHeader.toUpperCase()})%`,
          client: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%',
          method: '%REQ(:METHOD)%',
          host: '%REQ(:AUTHORITY)%',
          path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
          protocol: '%PROTOCOL%',
          status: '%RESPONSE_CODE%',
          bytesIn: '%BYTES_RECEIVED%',
          bytesOut: '%BYTES_SENT%',
          durationMs: '%DURATION%',
          upstreamMs: '%RESPONSE_DURATION%',
          userAgent: '%REQ(USER-AGENT)%',
        },
      },
    },
  }
}

function filter(name: string, type: string, settings: object): object {
  return {
    name: `envoy.filters.http.${name}`,
    typed_config: { '@type': `${extensions}.filters.http.${name}.v3.${type}`, ...settings },
  }
}

function socketAddress(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}

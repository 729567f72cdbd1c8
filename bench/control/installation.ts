/** What the bench of the control plane is made of: one document with everything, as people would keep it as code. */
import { createHash } from 'node:crypto'

export interface Scale {
  readonly apis: number
  readonly routesPerApi: number
  readonly consumers: number
}

const UPSTREAMS = 50

export const keyHeader = 'x-api-key'

export function keyOf(consumer: number): string {
  return `bench-key-${consumer}`
}

export function apiName(api: number): string {
  return `service-${String(api).padStart(4, '0')}`
}

/** The document of a headgate.yaml; every upstream is the backend at `backendPort`. */
export function toDocument({ apis, routesPerApi, consumers }: Scale, backendPort: number): unknown {
  return {
    headgate: 1,
    upstreams: numbers(UPSTREAMS).map((upstream) => ({
      name: `backend-${upstream}`,
      targets: [{ url: `http://127.0.0.1:${backendPort}` }],
    })),
    apis: numbers(apis).map((api) => toApi(apiName(api), `backend-${api % UPSTREAMS}`, routesPerApi)),
    products: [
      {
        name: 'everything',
        apis: numbers(Math.min(apis, 100)).map(apiName),
        plans: [
          { name: 'standard', policies: [{ kind: 'rate-limit', config: { limit: 100_000, windowSeconds: 60 } }] },
        ],
      },
    ],
    consumers: numbers(consumers).map((consumer) => ({
      name: `consumer-${String(consumer).padStart(5, '0')}`,
      labels: { team: `team-${consumer % 100}` },
      keys: [{ hash: createHash('sha256').update(keyOf(consumer)).digest('hex') }],
      subscriptions: consumer % 4 === 0 ? [{ product: 'everything', plan: 'standard' }] : [],
    })),
  }
}

/** An api that everybody with a key may call, a few times a second; every fifth route has a limit of its own. */
function toApi(name: string, upstream: string, routes: number): unknown {
  return {
    name,
    version: '1.0.0',
    basePath: `/${name}`,
    upstream,
    policies: [{ kind: 'key-auth' }, { kind: 'rate-limit', config: { limit: 10_000, windowSeconds: 60 } }],
    routes: numbers(routes).map((route) => ({
      name: `operation-${route}`,
      match: { methods: [route % 2 === 0 ? 'GET' : 'POST'], path: `/things-${route}/{id}` },
      ...(route % 5 === 0 ? { policies: [{ kind: 'rate-limit', config: { limit: 500, windowSeconds: 1 } }] } : {}),
    })),
  }
}

/** A document of one small api with one route at the path, to be applied from a source of its own. */
export function toOneRoute(path: string): unknown {
  return {
    headgate: 1,
    apis: [
      {
        name: 'changing',
        version: '1.0.0',
        basePath: '/changing',
        upstream: 'backend-0',
        policies: [{ kind: 'key-auth' }],
        routes: [{ name: 'only', match: { methods: ['GET'], path } }],
      },
    ],
  }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

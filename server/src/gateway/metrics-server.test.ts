import { afterEach, expect, test } from 'vitest'
import { createMetricsServer, type MetricsServer, type MetricsServerOptions } from './metrics-server.ts'

let server: MetricsServer | undefined
afterEach(() => server?.close())

async function listen(
  options: Partial<MetricsServerOptions> = {},
): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
  server = await createMetricsServer({
    host: '127.0.0.1',
    port: 0,
    metrics: async () => ({ text: 'up 1\n', contentType: 'text/plain; version=0.0.4' }),
    unhealthy: () => undefined,
    unready: () => undefined,
    failed: () => undefined,
    ...options,
  })
  const { port } = server
  return (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init)
}

test('metrics are served as they are, and never cached', async () => {
  const get = await listen()
  const response = await get('/metrics?format=text')
  expect([response.status, await response.text()]).toEqual([200, 'up 1\n'])
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4')
  expect(response.headers.get('cache-control')).toBe('no-store')
})

test('health and readiness say why not', async () => {
  const get = await listen({ unready: () => 'no configuration yet' })
  expect((await get('/healthz')).status).toBe(200)
  const response = await get('/readyz')
  expect([response.status, await response.json()]).toEqual([
    503,
    { status: 'unavailable', reason: 'no configuration yet' },
  ])
})

test('a scrape that fails is answered and told', async () => {
  const causes: unknown[] = []
  const get = await listen({
    metrics: () => Promise.reject(new Error('broken')),
    failed: (cause) => causes.push(cause),
  })
  expect((await get('/metrics')).status).toBe(500)
  expect(causes).toHaveLength(1)
})

test('anything else is refused', async () => {
  const get = await listen()
  expect((await get('/')).status).toBe(404)
  expect((await get('/constructor')).status).toBe(404)
  const post = await get('/metrics', { method: 'POST', body: 'x'.repeat(100_000) })
  expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  const head = await get('/metrics', { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '5', ''])
})

test('a port that is taken is told at once', async () => {
  await listen()
  await expect(listen({ port: server?.port ?? 0 })).rejects.toThrow('EADDRINUSE')
})

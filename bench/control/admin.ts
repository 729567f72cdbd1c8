/** Calls of the admin API, timed. */
import { performance } from 'node:perf_hooks'

export interface Timed {
  readonly ms: number
  readonly body: unknown
  readonly bytes: number
}

export type Admin = (method: string, path: string, body?: unknown) => Promise<Timed>

/** `path` stands below `/api/v1`; throws on any answer that is not a success. */
export function createAdmin(port: number, token: string): Admin {
  return async (method, path, body) => {
    const startedAt = performance.now()
    const response = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const ms = performance.now() - startedAt
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text.slice(0, 300)}`)
    return { ms, body: JSON.parse(text), bytes: text.length }
  }
}

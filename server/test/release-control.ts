/** A control plane with an API of several revisions, for tests of how these go live. */
import { isJsonObject, type JsonObject } from '../src/kernel/json.ts'
import type { TestControl } from './test-control.ts'

const AT = '/workspaces/default'

/** A version whose route answers `body`; `more` are further routes. */
export function answering(body: string, more: readonly object[] = [], policies: readonly object[] = []): object {
  const respond = { kind: 'respond', config: { body } }
  const routes = [{ name: 'x', match: { path: '/x' }, policies: [...policies, respond] }, ...more]
  return { name: '1', basePath: '/books', routes }
}

export function route(name: string): object {
  return { name, match: { path: `/${name}` }, policies: [{ kind: 'respond', config: { body: name } }] }
}

/** Publishes the settings as the next revision. */
export async function publish({ done, call }: TestControl, settings: object, api = 'books'): Promise<void> {
  const known = await call('GET', `${AT}/apis/${api}/versions/1`)
  if (known.status === 404) {
    await done('POST', `${AT}/apis`, { name: api })
    await done('POST', `${AT}/apis/${api}/versions`, { settings })
  } else {
    await done('PUT', `${AT}/apis/${api}/versions/1`, { settings }, { 'if-match': '*' })
  }
  await done('POST', `${AT}/apis/${api}/versions/1/revisions`)
}

/** Deploys the latest revision; the deployment. */
export async function deployLatest({ done }: TestControl, how: object = {}, api = 'books'): Promise<Shown> {
  return toShown(await done('POST', `${AT}/deployments`, { api, version: '1', ...how }))
}

/** `old` is live, production asks for approval from then on, and `new` is published and not deployed. Returns the first. */
export async function guard(control: TestControl): Promise<Shown> {
  await publish(control, answering('old'))
  const live = await deployLatest(control)
  const guarded = { title: '', needsApproval: true }
  await control.done('PUT', '/environments/production', guarded, { 'if-match': '*' })
  await publish(control, answering('new'))
  return live
}

/** Deploys the latest revision where that has to be approved; the id of what awaits it. */
export async function deployAs({ call }: TestControl, token: string, how: object = {}): Promise<string> {
  const { body } = await call('POST', `${AT}/deployments`, { token, body: { api: 'books', version: '1', ...how } })
  const { id, state } = toShown(body)
  if (state === 'awaiting-approval') return id
  throw new Error(`the deployment is ${state}`)
}

export async function act({ done }: TestControl, id: string, verb: string, body: object = {}): Promise<Shown> {
  return toShown(await done('POST', `${AT}/deployments/${id}/${verb}`, body))
}

export async function show({ done }: TestControl, id: string): Promise<Shown> {
  return toShown(await done('GET', `${AT}/deployments/${id}`))
}

/** Of each live revision its share, by what its route `x` answers. */
export async function shares({ database }: TestControl): Promise<Record<string, number>> {
  const rows = await database.read
    .selectFrom('snapshot_lines')
    .select(['key', 'line'])
    .where('key', 'like', '%/books/1%')
    .where('line', '<>', '')
    .orderBy('key')
    .execute()
  const found: Record<string, number> = {}
  for (const { key, line } of rows.filter(({ key: each }) => /^routes\/books\/1(?:~\w+)?\/x$/.test(each))) {
    const apiKey = key.replace('routes/', 'apis/').replace(/\/x$/, '')
    const api: unknown = JSON.parse(rows.find((row) => row.key === apiKey)?.line ?? 'null')
    if (!isJsonObject(api)) throw new TypeError(`${apiKey} is missing`)
    found[/"body":"(\w+)"/.exec(line)?.[1] ?? ''] = toShare(api['release'])
  }
  return found
}

function toShare(release: unknown): number {
  const { from, to } =
    isJsonObject(release) && isJsonObject(release['split']) ? release['split'] : { from: 0, to: 10_000 }
  return (Number(to) - Number(from)) / 100
}

export interface Shown {
  readonly id: string
  readonly state: string
  readonly percent: number
  readonly reason: string
  readonly body: JsonObject
}

function toShown(body: JsonObject): Shown {
  const { id, state, percent, reason } = body
  if (
    typeof id !== 'string' ||
    typeof state !== 'string' ||
    typeof percent !== 'number' ||
    typeof reason !== 'string'
  ) {
    throw new TypeError(`this is no deployment: ${JSON.stringify(body)}`)
  }
  return { id, state, percent, reason, body }
}

/** Asks a running control plane: its clock, its certificates, whether the gateways run what is published. */
import { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { toSkewFinding } from '../../control/doctor/check-store.ts'
import type { Finding } from '../../control/doctor/finding.ts'
import { AdminError, callAdmin, findConnection, type Connection } from '../admin-client.ts'
import type { CommandSurroundings } from '../command-surroundings.ts'

const LIMIT_MS = 5_000
const DAY_MS = 86_400_000
const EXPIRING_DAYS = 21

const unready = z.looseObject({ status: z.literal('unavailable'), reason: z.string() })
const named = z.looseObject({ items: z.array(z.looseObject({ name: z.string() })) })
const gateways = z.looseObject({
  items: z.array(
    z.looseObject({
      name: z.string(),
      environment: z.string(),
      state: z.string(),
      drift: z.boolean(),
      lastSeenAt: z.string(),
    }),
  ),
})
const certificates = z.looseObject({
  items: z.array(
    z.looseObject({
      environment: z.string(),
      spec: z.looseObject({ name: z.string() }),
      status: z.looseObject({ notAfter: z.string() }),
    }),
  ),
  next: z.string().optional(),
})
const settings = z.looseObject({
  tls: z.looseObject({ certificates: z.array(z.looseObject({ cert: z.string() })).default([]) }).optional(),
})

/** `nowMs` is asked for at the moment of comparing. */
export async function checkControl(
  flags: { readonly url?: string },
  surroundings: CommandSurroundings,
  nowMs: () => number,
): Promise<Finding[]> {
  let connection: Connection
  try {
    connection = findConnection(flags, surroundings)
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    const detail = 'Certificates, gateways and the clock of the control plane were not looked at.'
    return [{ check: 'control plane', state: 'skipped', detail, remedy: error.message }]
  }
  const reached = await reach(connection, nowMs)
  if (reached.some(({ state }) => state === 'wrong')) return reached
  try {
    return [...reached, ...(await checkGateways(connection)), ...(await checkCertificates(connection, nowMs()))]
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    const remedy = 'Log in with a token that may read gateways, environments and certificates: headgate login'
    return [...reached, { check: 'control plane', state: 'wrong', detail: error.message, remedy }]
  }
}

async function reach({ url }: Connection, nowMs: () => number): Promise<Finding[]> {
  const check = 'control plane'
  try {
    const askedAtMs = nowMs()
    const response = await fetch(new URL('/readyz', url), { signal: AbortSignal.timeout(LIMIT_MS) })
    // What lets only the admin API through answers 404 here: no fault, and what is asked next tells.
    if (response.status >= 500) return [await toUnready(url, response)]
    await response.body?.cancel()
    const date = Date.parse(response.headers.get('date') ?? '')
    const found: Finding = { check, state: 'ok', detail: `It answers at ${url}.` }
    // `Date` has whole seconds: it is half a second more on the average (RFC 9110 §6.6.1).
    return Number.isNaN(date)
      ? [found]
      : [found, toSkewFinding('the control plane', date + 500 - (askedAtMs + nowMs()) / 2)]
  } catch (cause) {
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause)
    const remedy = 'Start it (headgate start), or say where it is: HEADGATE_URL or headgate login --url URL'
    return [{ check, state: 'wrong', detail: `It cannot be reached at ${url}: ${reason}`, remedy }]
  }
}

/** Of the control plane itself, which says why, or of a proxy that does not reach it. */
async function toUnready(url: string, response: Response): Promise<Finding> {
  const { data } = unready.safeParse(await response.json().catch(() => undefined))
  const remedy =
    data === undefined
      ? 'Look whether control runs behind what answers there.'
      : 'Mend its database, or the way to it: headgate doctor on the machine of the control plane looks at both.'
  const detail = `It answers at ${url} with ${response.status}: ${data?.reason ?? 'not a control plane, as it seems.'}`
  return { check: 'control plane', state: 'wrong', detail, remedy }
}

async function checkGateways(connection: Connection): Promise<Finding[]> {
  const { items } = gateways.parse(await callAdmin(connection, 'GET', '/gateways'))
  const living = items.filter(({ state }) => state !== 'revoked')
  const bad = living.filter(({ state, drift }) => state !== 'online' || drift)
  if (bad.length === 0) {
    return [
      { check: 'gateways', state: 'ok', detail: `${living.length} joined, and none lags behind what is published.` },
    ]
  }
  return bad.map(({ name, environment, state, lastSeenAt }): Finding => {
    const check = `gateway ${name}`
    if (state === 'online') {
      const remedy = 'Look into its log for a snapshot that it refused; `headgate gateway` says why.'
      return { check, state: 'wrong', detail: `It runs another snapshot than the one of ${environment}.`, remedy }
    }
    const remedy = 'Start it, or take its identity away when it is gone for good: POST /api/v1/gateways/ID/revoke'
    return { check, state: 'wrong', detail: `Nothing was heard of it since ${lastSeenAt}.`, remedy }
  })
}

async function checkCertificates(connection: Connection, nowMs: number): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { name } of named.parse(await callAdmin(connection, 'GET', '/workspaces')).items) {
    for await (const { spec, status } of listCertificates(connection, name)) {
      findings.push(...toExpiry(`certificate ${name}/${spec.name}`, Date.parse(status.notAfter), nowMs))
    }
  }
  for (const { name } of named.parse(await callAdmin(connection, 'GET', '/environments')).items) {
    const { tls } = settings.parse(
      await callAdmin(connection, 'GET', `/environments/${encodeURIComponent(name)}/gateway`),
    )
    for (const [index, { cert }] of (tls?.certificates ?? []).entries()) {
      const notAfterMs = new X509Certificate(cert).validToDate.getTime()
      findings.push(...toExpiry(`certificate ${index + 1} in the settings of ${name}`, notAfterMs, nowMs))
    }
  }
  if (findings.length > 0) return findings
  return [{ check: 'certificates', state: 'ok', detail: `None ends within ${EXPIRING_DAYS} days.` }]
}

async function* listCertificates(connection: Connection, workspace: string) {
  const path = `/workspaces/${encodeURIComponent(workspace)}/certificates?limit=200`
  let cursor = ''
  do {
    const { items, next } = certificates.parse(await callAdmin(connection, 'GET', path + cursor))
    yield* items
    cursor = next === undefined ? '' : `&cursor=${encodeURIComponent(next)}`
  } while (cursor !== '')
}

function toExpiry(check: string, notAfterMs: number, nowMs: number): Finding[] {
  const days = Math.floor((notAfterMs - nowMs) / DAY_MS)
  if (days >= EXPIRING_DAYS) return []
  const remedy = 'Renew it, and put the new chain and key in its place (PATCH …/certificates/NAME).'
  if (days < 0) return [{ check, state: 'wrong', detail: 'It has expired; clients refuse it.', remedy }]
  return [{ check, state: 'warning', detail: `It ends in ${days} days.`, remedy }]
}

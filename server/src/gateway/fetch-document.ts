/** Fetches a small document for a policy, e.g. a key set: bounded in time and bytes, redirects refused. */
import type { FetchedDocument, PolicyServices } from '../kernel/policy-services.ts'

export const fetchDocument: PolicyServices['fetchDocument'] = async (url, limits): Promise<FetchedDocument> => {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(limits.timeoutMs),
    headers: { accept: 'application/json', 'user-agent': 'headgate' },
  })
  return {
    status: response.status,
    text: await readText(response, limits.maxBytes),
    maxAgeSeconds: toMaxAge(response.headers),
  }
}

async function readText(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let total = 0
  for await (const chunk of response.body ?? []) {
    total += chunk.length
    if (total > maxBytes) throw new Error(`the document is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, total).toString('utf8')
}

/** `max-age` of Cache-Control (RFC 9111 §5.2.2.1). */
function toMaxAge(headers: Response['headers']): number | undefined {
  const seconds = /(?:^|,)\s*max-age="?(\d{1,9})/i.exec(headers.get('cache-control') ?? '')?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}

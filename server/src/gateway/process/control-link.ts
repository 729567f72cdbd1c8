/**
 * A gateway's requests to its control plane, of which there may be several processes on one store: it stays with the one
 * that answers, and asks the next at once when that one is gone. All of them know the same.
 */
export interface ControlLinkOptions {
  /** Where the control processes are; the first that answers is stayed with. */
  readonly urls: readonly string[]
  /** The gateway's own credential. */
  readonly token: string
  /** Ends what is under way, and every later request. */
  readonly stopped: AbortSignal
}

/** A hanging process is given up after this time beyond what it was asked to wait. */
const PATIENCE_SECONDS = 15

export class ControlLink {
  private readonly options: ControlLinkOptions
  private at = 0

  constructor(options: ControlLinkOptions) {
    this.options = options
  }

  /** The body of the answer; rejects when no process gives one. `path` stands below `/api/v1/gateway/`. */
  ask(path: string, body: unknown, waitSeconds: number): Promise<unknown> {
    const { urls, token, stopped } = this.options
    const from = this.at
    return askOneOf([...urls.slice(from), ...urls.slice(0, from)], async (url, place) => {
      const response = await fetch(new URL(`/api/v1/gateway/${path}`, url), {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([stopped, AbortSignal.timeout((waitSeconds + PATIENCE_SECONDS) * 1000)]),
      })
      const answer = await toBody(response)
      this.at = (from + place) % urls.length
      return answer
    })
  }
}

/** The first answer; a process that says no is believed, one that cannot say anything is passed over. */
export async function askOneOf<Answer>(
  urls: readonly string[],
  ask: (url: string, place: number) => Promise<Answer>,
): Promise<Answer> {
  let failure: unknown
  for (const [place, url] of urls.entries()) {
    try {
      return await ask(url, place)
    } catch (cause) {
      if (cause instanceof ControlRefusal) throw cause
      failure = cause
    }
  }
  throw failure
}

/** Control has understood, and refuses: another of its processes would too. */
export class ControlRefusal extends Error {}

async function toBody(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined
  if (response.ok) return response.json()
  const reason = `the control plane answers ${response.status}: ${(await response.text()).slice(0, 300)}`
  throw response.status < 500 ? new ControlRefusal(reason) : new Error(reason)
}

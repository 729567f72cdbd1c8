/** Hears PostgreSQL's notifications on a connection of its own, and connects again when that is lost. */
import { Client } from 'pg'
import type { Log } from '../kernel/log.ts'
import { createChannels } from './channels.ts'
import type { Database } from './client.ts'

const firstPauseMs = 100
const longestPauseMs = 5000
const connectTimeoutMs = 5000

export interface PostgresListener {
  readonly listen: Database['listen']
  readonly close: () => Promise<void>
}

export function createPostgresListener(url: string, log: Log): PostgresListener {
  const channels = createChannels()
  /** Channels that the live connection listens to; it does so to the end, since hearing too much harms nobody. */
  const subscribed = new Set<string>()
  let client: Promise<Client> | undefined
  let reconnecting: NodeJS.Timeout | undefined
  let pauseMs = firstPauseMs
  let isClosed = false

  const connected = (): Promise<Client> => {
    client ??= connect(url, log, channels.tell).then((live) => {
      live.once('end', connectLater)
      return live
    })
    client.catch(() => (client = undefined))
    return client
  }
  const subscribe = async (): Promise<void> => {
    const live = await connected()
    for (const channel of channels.names()) {
      if (subscribed.has(channel)) continue
      subscribed.add(channel)
      await live.query(`listen ${live.escapeIdentifier(channel)}`)
    }
    pauseMs = firstPauseMs
  }
  const connectLater = (): void => {
    client = undefined
    subscribed.clear()
    if (isClosed) return
    clearTimeout(reconnecting)
    reconnecting = setTimeout(() => {
      // What was notified meanwhile is lost, so everybody is asked to look.
      const tellAll = (): void => channels.names().forEach((channel) => channels.tell(channel, undefined))
      subscribe().then(tellAll, connectLater)
    }, pauseMs)
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  }
  return {
    listen: async (channel, heard) => {
      const remove = channels.add(channel, heard)
      await subscribe()
      return async () => remove()
    },
    close: async () => {
      isClosed = true
      clearTimeout(reconnecting)
      const last = await client?.catch(() => undefined)
      await last?.end()
    },
  }
}

async function connect(url: string, log: Log, tell: (channel: string, payload: string) => void): Promise<Client> {
  const client = new Client({
    connectionString: url,
    application_name: 'headgate listener',
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
  })
  client.on('error', (error) => log.warn({ error: error.message }, 'the connection for notifications was lost'))
  client.on('notification', ({ channel, payload }) => tell(channel, payload ?? ''))
  await client.connect()
  return client
}

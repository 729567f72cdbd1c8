/** Who listens to which channel, within this process. */
import type { Heard } from './client.ts'

export interface Channels {
  readonly names: () => readonly string[]
  /** Returns what takes the listener away again. */
  readonly add: (channel: string, heard: Heard) => () => void
  readonly tell: (channel: string, payload: string | undefined) => void
}

export function createChannels(): Channels {
  const heardBy = new Map<string, Set<Heard>>()
  return {
    names: () => [...heardBy.keys()],
    add(channel, heard) {
      const listeners = heardBy.get(channel) ?? new Set()
      heardBy.set(channel, listeners)
      // A function of its own, so that one who listens twice hears twice and leaves once.
      const own: Heard = (payload) => heard(payload)
      listeners.add(own)
      return () => {
        listeners.delete(own)
        if (listeners.size === 0 && heardBy.get(channel) === listeners) heardBy.delete(channel)
      }
    },
    tell(channel, payload) {
      for (const heard of heardBy.get(channel) ?? []) heard(payload)
    },
  }
}

/** The state of an API, which is that of its versions: nobody sets it, so it cannot contradict them. */
import type { LifecycleState } from './lifecycle-store.ts'

/** What counts most stands first: an API with a published version is published, whatever else it has. */
const RANK: readonly LifecycleState[] = ['published', 'deprecated', 'mock', 'design', 'retired']

export function toApiState(versions: readonly LifecycleState[]): LifecycleState {
  return RANK.find((state) => versions.includes(state)) ?? 'design'
}

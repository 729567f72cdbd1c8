/**
 * Consistent hashing by weighted rendezvous: each target draws a number from the key and its own id, the best one wins
 * (D. Thaler and C. Ravishankar, IEEE/ACM ToN 6(1), 1998; weights after C. Schindelhauer and G. Schomaker, SPAA 2005).
 * When a target goes, only its keys move; when one comes, only the keys that it wins do.
 *
 * A target much busier than its share passes the rest on to the next best (bounded loads: V. Mirrokni, M. Thorup and
 * M. Zadimoghaddam, SODA 2018), so that one hot key does not take its target down.
 */
import type { Algorithm } from './balancer.ts'
import type { TargetGroup } from './target-set.ts'
import type { Target } from './target.ts'

/** Keys are folded into this many slots, whose winners are remembered. A power of two. */
const SLOTS = 8_192

/** A target may have this many times its share of what is in flight. */
const LOAD_BOUND = 2

/** Below this many exchanges in flight a target is not called busy: a few at once must not cost the affinity. */
const FREE_LOAD = 16

const UNKNOWN = -1

/** Murmur3's finaliser: every bit of the input changes half of the output. */
function mix(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** 32 bits of a text: FNV-1a over its code units, then mixed. The same on every thread and every gateway. */
export function toHash(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return mix(hash)
}

interface Rendezvous {
  readonly seeds: Uint32Array
  /** Index of each slot's winner among all targets, fit or not; found when it is first asked for. */
  readonly winners: Int16Array
}

/** -weight / ln(draw): the weight that makes the chances exact. */
function toScore(slot: number, seed: number, weight: number): number {
  const draw = (mix(slot ^ seed) + 0.5) / 4_294_967_296
  return -weight / Math.log(draw)
}

export function createConsistentHash(): Algorithm {
  const memory = new WeakMap<TargetGroup, Rendezvous>()

  function rendezvousOf(group: TargetGroup): Rendezvous {
    let rendezvous = memory.get(group)
    if (rendezvous === undefined) {
      const seeds = Uint32Array.from(group.targets, (target) => toHash(target.endpoint.id))
      rendezvous = { seeds, winners: new Int16Array(SLOTS).fill(UNKNOWN) }
      memory.set(group, rendezvous)
    }
    return rendezvous
  }

  return {
    choose(group, hashKey, tried, nowMs) {
      const rendezvous = rendezvousOf(group)
      const slot = toHash(hashKey ?? '') & (SLOTS - 1)
      let at = rendezvous.winners[slot] ?? UNKNOWN
      if (at === UNKNOWN) {
        at = findWinner(group, rendezvous.seeds, slot)
        rendezvous.winners[slot] = at
      }
      const winner = group.targets[at]
      if (winner !== undefined && isCandidate(winner, tried, nowMs)) {
        if (winner.inFlight < FREE_LOAD || !isBusy(winner, toBound(group))) return winner
      }
      return findNextBest(group, rendezvous.seeds, slot, tried, nowMs)
    },
  }
}

/** What is in flight for one unit of weight when a target has all that it may have. */
function toBound(group: TargetGroup): number {
  let inFlight = 1
  for (const target of group.targets) inFlight += target.inFlight
  return (LOAD_BOUND * inFlight) / group.weight
}

function isBusy(target: Target, bound: number): boolean {
  return target.inFlight >= Math.max(FREE_LOAD, bound * target.endpoint.weight)
}

function isCandidate(target: Target, tried: readonly Target[] | undefined, nowMs: number): boolean {
  return target.isFit(nowMs) && (tried === undefined || !tried.includes(target))
}

function findWinner(group: TargetGroup, seeds: Uint32Array, slot: number): number {
  let best = UNKNOWN
  let bestScore = -1
  for (let i = 0; i < group.targets.length; i++) {
    const score = toScore(slot, seeds[i] ?? 0, group.targets[i]?.endpoint.weight ?? 0)
    if (score <= bestScore) continue
    best = i
    bestScore = score
  }
  return best
}

/** The best target that is fit, untried and not too busy; one that is too busy when there is no other. */
function findNextBest(
  group: TargetGroup,
  seeds: Uint32Array,
  slot: number,
  tried: readonly Target[] | undefined,
  nowMs: number,
): Target | undefined {
  const bound = toBound(group)
  let best: Target | undefined
  let bestScore = -1
  let bestBusy = true
  for (let i = 0; i < group.targets.length; i++) {
    const target = group.targets[i]
    if (target === undefined || !isCandidate(target, tried, nowMs)) continue
    const busy = isBusy(target, bound)
    const score = toScore(slot, seeds[i] ?? 0, target.endpoint.weight)
    if (busy === bestBusy ? score <= bestScore : busy) continue
    best = target
    bestScore = score
    bestBusy = busy
  }
  return best
}

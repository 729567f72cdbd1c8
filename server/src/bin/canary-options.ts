/** The options of `headgate deploy` that make it a canary, as the admin API takes them. */
import { InvalidArgumentError, type Command } from 'commander'

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

export function addCanaryOptions(command: Command): void {
  command
    .option('--canary <percents>', 'a canary with a growing share of the callers, such as 10,50,100', toPercents)
    .option('--pause <time>', 'from one of its steps to the next, such as 60s or 5m; else you promote it', toSeconds)
    .option('--by <what>', 'what tells callers apart: credential, ip or header:NAME', toBy)
}

/** Strategy and plan; an option of canaries makes it one. */
export function toStrategy({ strategy, canary, pause, by }: Readonly<Record<string, unknown>>): object {
  if (canary === undefined && pause === undefined && by === undefined) return { strategy }
  // Everybody gets it after the last step, so 100 is no step of its own.
  const percents = Array.isArray(canary) ? canary.filter((percent, at) => percent !== 100 || at === 0) : undefined
  const steps = percents?.map((percent: unknown) => ({ percent, pauseSeconds: pause }))
  return { strategy: 'canary', plan: { steps: steps ?? [{ percent: 10, pauseSeconds: pause }], by } }
}

function toPercents(text: string): number[] {
  return text.split(',').map((each) => {
    const percent = /^\d{1,3}$/.test(each.trim()) ? Number(each) : 0
    if (percent >= 1 && percent <= 100) return percent
    throw new InvalidArgumentError('Give percents from 1 to 100, such as 10,50,100.')
  })
}

function toSeconds(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const seconds = SECONDS[unit]
  if (seconds === undefined) throw new InvalidArgumentError('Give a time such as 60s, 5m or 1h.')
  return Number(count) * seconds
}

function toBy(text: string): unknown {
  if (text === 'credential' || text === 'ip') return text
  if (text.startsWith('header:')) return { header: text.slice('header:'.length) }
  throw new InvalidArgumentError('Give credential, ip, or header:NAME.')
}

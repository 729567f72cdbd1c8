#!/usr/bin/env node
// The `headgate` command. It starts the program in this process, or in a child with the pinned Node when this one is
// too old. A checkout runs its TypeScript sources; the packed module runs built JavaScript, since Node does not strip
// types below node_modules.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { isSupportedNode, planHandover } from './handover.js'

const version = process.versions.node

if (isSupportedNode(version)) {
  const source = new URL('../src/bin/headgate.ts', import.meta.url)
  const built = new URL('../dist/bin/headgate.js', import.meta.url)
  await import((existsSync(source) ? source : built).href)
} else {
  const plan = planHandover({
    version,
    platform: process.platform,
    architecture: process.arch,
    resolve: createRequire(import.meta.url).resolve,
  })
  if ('binary' in plan) handOver(plan.binary)
  else {
    console.error(plan.advice)
    process.exitCode = 1
  }
}

/**
 * Runs this command again with another Node, and leaves as that one leaves.
 * @param {string} binary
 */
function handOver(binary) {
  const child = spawn(binary, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  child.on('error', (error) => {
    console.error(`headgate could not start ${binary}: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0))
  })
  /** @type {NodeJS.Signals[]} */
  const forwarded = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2']
  for (const signal of forwarded) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child as well, and a second one would cut its drain short.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
}

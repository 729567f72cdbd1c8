/** Looks at the machine: the Node that runs this, the ports, the data folder, the disk. */
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import type { Finding } from '../../control/doctor/finding.ts'
import { findPortOwner } from './port-owner.ts'

const LEAST_NODE = [24, 11] as const
/** Of a command line that is shown; which command it is may stand behind a long path. */
const MOST_COMMAND_CHARS = 120
const MIB = 1024 * 1024
/** Below the first nothing can be relied on; below the second it is time to look. */
const WRONG_FREE_BYTES = 100 * MIB
const FEW_FREE_BYTES = 1024 * MIB

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isNew = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])
  if (isNew) return { check: 'node', state: 'ok', detail: `Node ${version}.` }
  const remedy = `Install Node ${LEAST_NODE.join('.')} or newer.`
  return { check: 'node', state: 'wrong', detail: `Node ${version} is too old to run Headgate.`, remedy }
}

export async function checkPort(variable: string, port: number, host: string): Promise<Finding> {
  const check = `port ${port}`
  if (port === 0) return { check, state: 'ok', detail: 'The system chooses it.' }
  const onAny = await tryPort(port, host)
  // Without IPv6 the gateway listens on all addresses of IPv4.
  const code = onAny === 'EAFNOSUPPORT' && host === '::' ? await tryPort(port, '0.0.0.0') : onAny
  if (code === undefined) return { check, state: 'ok', detail: `It is free for ${variable}.` }
  if (code === 'EACCES') {
    const remedy = `Set ${variable} to a port above 1023, or give the right: setcap cap_net_bind_service=+ep.`
    return { check, state: 'wrong', detail: 'It may not be opened by this user.', remedy }
  }
  if (code !== 'EADDRINUSE') {
    return { check, state: 'wrong', detail: `It cannot be opened on ${host} (${code}).`, remedy: 'Check the address.' }
  }
  const owner = findPortOwner(port)
  const who =
    owner === undefined
      ? 'a program that cannot be seen from here'
      : `${owner.command.slice(0, MOST_COMMAND_CHARS)} (process ${owner.pid})`
  const role = /headgate(?:\.[jt]s)? (start|control|gateway)\b/.exec(owner?.command ?? '')?.[1]
  if (role !== undefined) {
    return { check, state: 'ok', detail: `Headgate has it: headgate ${role} (process ${owner?.pid}).` }
  }
  const stop = owner === undefined ? 'Stop it' : `Stop it (kill ${owner.pid})`
  return { check, state: 'wrong', detail: `It is taken by ${who}.`, remedy: `${stop}, or set ${variable} to another.` }
}

function tryPort(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolveWith) => {
    const probe = createServer()
    probe.once('error', (error) => resolveWith('code' in error ? String(error.code) : error.message))
    probe.listen({ port, host }, () => probe.close(() => resolveWith(undefined)))
  })
}

export function checkDataFolder(folder: string): Finding[] {
  const check = 'data folder'
  const at = resolve(folder)
  if (!existsSync(at)) {
    const parent = dirname(at)
    return existsSync(parent) && isWritable(parent)
      ? [{ check, state: 'ok', detail: `${at} will be made by the first start.` }]
      : [
          {
            check,
            state: 'wrong',
            detail: `${at} cannot be made.`,
            remedy: `Make it for this user, or set HEADGATE_DATA_DIR.`,
          },
        ]
  }
  if (!statSync(at).isDirectory()) {
    const remedy = 'Move the file away, or set HEADGATE_DATA_DIR to a folder.'
    return [{ check, state: 'wrong', detail: `${at} is no folder.`, remedy }]
  }
  if (!isWritable(at)) {
    const remedy = `Give it to the user that runs Headgate: chown -R USER ${at}`
    return [{ check, state: 'wrong', detail: `${at} cannot be written by this user.`, remedy }]
  }
  const open = ['master.key', 'headgate.sqlite'].map((file) => join(at, file)).filter(isOpenToOthers)
  if (open.length === 0) return [{ check, state: 'ok', detail: `${at} can be written.` }]
  const detail = `Others on this machine can read ${open.join(' and ')}.`
  return [{ check, state: 'wrong', detail, remedy: `chmod 600 ${open.join(' ')}` }]
}

export function checkDisk(
  folder: string,
  limits = { wrongBytes: WRONG_FREE_BYTES, fewBytes: FEW_FREE_BYTES },
): Finding {
  const check = 'disk'
  const at = existsSync(folder) ? folder : dirname(resolve(folder))
  if (!existsSync(at)) return { check, state: 'skipped', detail: `There is no ${at} to look at.` }
  const { bavail, bsize } = statfsSync(at)
  const freeBytes = bavail * bsize
  const detail = `${Math.floor(freeBytes / MIB)} MiB are free where ${at} lies.`
  if (freeBytes >= limits.fewBytes) return { check, state: 'ok', detail }
  const remedy = 'Make room: a store that cannot write refuses every change.'
  return { check, state: freeBytes < limits.wrongBytes ? 'wrong' : 'warning', detail, remedy }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

function isOpenToOthers(path: string): boolean {
  return existsSync(path) && (statSync(path).mode & 0o077) !== 0
}

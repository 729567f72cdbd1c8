/** Where the files of a run stand: configurations, and the access logs that every gateway writes. */
import { statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'

const inMemory = '/dev/shm'
/** Far more than the logs of one slice of every gateway. */
const enoughBytes = 4e9

/**
 * In memory where there is room: writing, cutting and freeing files on a disk stalls whoever waits for it, some disks for
 * seconds, and that is not what is measured. `TMPDIR` names another place.
 */
export function scratchRoot(): string {
  return process.env.TMPDIR === undefined && hasRoom(inMemory) ? inMemory : tmpdir()
}

function hasRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize >= enoughBytes
  } catch {
    // There is no such place.
    return false
  }
}

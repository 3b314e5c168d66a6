import { readlinkSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { basename } from 'node:path'

/**
 * Lets everybody else go first: the calling thread gets a lower priority where the system has one for each thread (Linux). For
 * threads beside the one that serves requests: on a machine with few processors these would take its turns.
 */
export function goLast(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // A system that keeps it from us (no /proc): then all are equal.
  }
}

import { closeSync, openSync, readFileSync } from 'node:fs'
import { complain } from './complain.ts'

/** Left for what the app opens besides its clients' connections, and for a new copy of the socket. */
const RESERVE = 32
const RESERVE_SHARE = 1 / 8
/** How soon a worker that closed its door takes connections again after some were closed. */
const LOOK_MS = 50

/** How near this process is to its limit of open descriptors. */
export interface Descriptors {
  readonly areScarce: boolean
  /** A connection came in under this number. */
  note(fd: number): void
  /** One was sent to us and did not arrive. */
  noteLost(): void
}

/**
 * At the limit libuv accepts what it has no descriptor for and closes it at once, while other workers would have had room. So the door has
 * to shut before. The kernel gives the lowest number that is free: a new number near the limit tells that all below it are in use.
 */
export function watchDescriptors(onChange: () => void): Descriptors {
  let threshold: number | null = null
  let areScarce = false
  let hasComplained = false

  const begin = (): void => {
    if (areScarce) return
    areScarce = true
    if (!hasComplained) complain('almost all file descriptors are in use; this worker takes no connections until some are closed. Raise `ulimit -n`.')
    hasComplained = true
    const timer = setInterval(() => {
      if (lowestFree() >= (threshold ?? Number.POSITIVE_INFINITY)) return
      clearInterval(timer)
      areScarce = false
      onChange()
    }, LOOK_MS)
    onChange()
  }

  return {
    get areScarce() {
      return areScarce
    },
    note(fd) {
      threshold ??= thresholdOf(softLimit())
      if (fd >= threshold) begin()
    },
    noteLost: begin,
  }
}

function thresholdOf(limit: number): number {
  return limit - Math.ceil(Math.min(RESERVE, limit * RESERVE_SHARE))
}

/** Infinite where the system does not tell. */
function softLimit(): number {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))
    return limit ? Number(limit[1]) : Number.POSITIVE_INFINITY
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/** Infinite if there is none. */
function lowestFree(): number {
  try {
    const fd = openSync('/dev/null', 'r')
    closeSync(fd)
    return fd
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

import { closeSync, openSync, readFileSync } from 'node:fs'
import { complain } from './complain.ts'

/** Left for what the app opens besides its clients' connections, and for a new copy of the socket. */
const RESERVE = 32
const RESERVE_SHARE = 1 / 8
/** Connections for which there must be room again before the door opens: otherwise it would do little else than open and shut. */
const ROOM = 8
/** How soon a worker that closed its door takes connections again after some were closed. */
const LOOK_MS = 50

/** How near this process is to its limit of open descriptors. */
export interface Descriptors {
  readonly areScarce: boolean
  /** A connection came in under this number. */
  note(fd: number): void
  /** There was none for something that came in. */
  noteLost(): void
}

/**
 * At the limit libuv accepts what it has no descriptor for and closes it at once, while other workers would have had room. So the door has
 * to shut before. The kernel gives the lowest number that is free: a new number near the limit tells that all below it are in use.
 */
export function watchDescriptors(countDoors: () => number, onChange: () => void): Descriptors {
  let threshold: number | null = null
  let areScarce = false
  let hasComplained = false

  const begin = (): void => {
    if (areScarce) return
    areScarce = true
    if (!hasComplained) complain('almost all file descriptors are in use; this worker takes no connections until some are closed. Raise `ulimit -n`.')
    hasComplained = true
    const timer = setInterval(() => {
      // Shutting the doors has itself set their descriptors free, and opening takes as many.
      if (!isFree(countDoors() + ROOM, threshold ?? Number.POSITIVE_INFINITY)) return
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

/** Whether so many descriptors below a number are free: tried, because nothing tells it. */
function isFree(count: number, below: number): boolean {
  const taken: number[] = []
  try {
    while (taken.length < count) {
      const fd = openSync('/dev/null', 'r')
      taken.push(fd)
      if (fd >= below) return false
    }
    return true
  } catch {
    return false
  } finally {
    for (const fd of taken) closeSync(fd)
  }
}

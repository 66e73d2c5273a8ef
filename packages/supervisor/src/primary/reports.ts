import type { Report } from '../policy/sample.ts'

/** The newest report of each worker since it was last asked for. Bounded: one per worker. */
export interface Inbox {
  put(workerId: number, report: Report): void
  /** The report that came since the last call, or null: a silent worker must not look like an idle one. */
  take(workerId: number): Report | null
  forget(workerId: number): void
}

export function createInbox(): Inbox {
  const newest = new Map<number, Report>()
  return {
    put: (workerId, report) => newest.set(workerId, report),
    take(workerId) {
      const report = newest.get(workerId) ?? null
      newest.delete(workerId)
      return report
    },
    forget: (workerId) => newest.delete(workerId),
  }
}

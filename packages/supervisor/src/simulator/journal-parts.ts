import { type Kind, amount, anyNumber, checked, fields, listOf, mapOf, orNull, recognised, text, wholeNumber } from '../config/kind.ts'
import { MOST_CUSTOM_SIGNALS, isSignalName } from '../policy/custom-signals.ts'
import { BUCKETS, type LatencyCounts } from '../policy/latency.ts'
import type { DatabaseUse, Report, Sample, Usage } from '../policy/sample.ts'

/** What events and fleets in a journal are made of. */

/** No list that is written down is longer: events are of one tick, and what a fleet remembers is bounded. */
const MOST_ENTRIES = 10_000
/** Beyond this numbers are no longer told apart, and sums of requests would not come out. */
const MOST_REQUESTS = 10_000_000

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
export const count: Kind<number> = recognised('a whole number that is not negative', isCount)
/** Running time in milliseconds, or a difference of two. */
export const time: Kind<number> = anyNumber
export const atLeastZero: Kind<number> = amount(0, Number.MAX_VALUE, 'a number that is not negative')
/** What programs have printed may be anything. */
export const anyText: Kind<string> = text('a text of at most 1000000 characters', /^/, 1_000_000)
export const list = <T>(kind: Kind<T>): Kind<readonly T[]> => listOf(`a list of at most ${MOST_ENTRIES} entries`, kind, MOST_ENTRIES)

export const latencyCounts: Kind<LatencyCounts> = recognised('buckets and counts in turns, ascending by bucket', (value) => {
  if (!Array.isArray(value) || value.length % 2 !== 0) return false
  let before = -1
  return (value as unknown[]).every((each, place) => {
    if (!isCount(each) || place % 2 === 1) return isCount(each)
    const isNext = each > before && each < BUCKETS
    before = each
    return isNext
  })
})

const signals: Kind<Readonly<Record<string, number>>> = checked(mapOf('an object of numbers by name', anyText, anyNumber), (given) => {
  const names = Object.keys(given)
  return names.length <= MOST_CUSTOM_SIGNALS && names.every(isSignalName) ? null : `at most ${MOST_CUSTOM_SIGNALS} numbers by names such as jobs`
})

export const report: Kind<Report> = fields<Report>('the report of a worker', {
  intervalMs: atLeastZero,
  eventLoopUtilization: atLeastZero,
  eventLoopDelayP99Ms: atLeastZero,
  queue: wholeNumber(0, MOST_REQUESTS),
  requests: wholeNumber(0, MOST_REQUESTS),
  connections: count,
  sockets: count,
  latencies: latencyCounts,
  queueTimes: latencyCounts,
  database: orNull(
    fields<DatabaseUse>('how a worker uses its database connections', { granted: count, acknowledged: count, inUse: count, waiting: count }),
  ),
  signals,
})

export const sample: Kind<Sample> = fields<Sample>('a sample: workerId, cpu, memoryBytes and report', {
  workerId: count,
  cpu: orNull(atLeastZero),
  memoryBytes: orNull(atLeastZero),
  report: orNull(report),
})

export const usage: Kind<Usage> = fields<Usage>('what the container uses: cpus and memoryBytes', {
  cpus: orNull(atLeastZero),
  memoryBytes: orNull(atLeastZero),
})

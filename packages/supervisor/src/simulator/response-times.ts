import { type LatencyCounts, bucketOf } from '../policy/latency.ts'

/**
 * Waiting times of random arrivals in front of one event loop fall off exponentially. Each part has its share of those that have to wait
 * at all, and its own mean as a multiple of the mean wait. Constants instead of logarithms: the same on every machine.
 */
const WAITS = [
  { part: 0.5, multiple: 0.31 },
  { part: 0.3, multiple: 1.15 },
  { part: 0.12, multiple: 2.05 },
  { part: 0.05, multiple: 3.05 },
  { part: 0.03, multiple: 4.5 },
] as const

/** Beyond this utilisation the queue itself is counted, request by request, instead of estimated. */
const HIGHEST_UTILIZATION = 0.95

/** What is true of all requests of a batch. */
export interface Course {
  /** Time in the queue that was counted, in service, and elsewhere. */
  readonly baseMs: number
  /** Time that one request holds the event loop. */
  readonly serviceMs: number
  /** Of the event loop, 0..1: what the random part of the waiting depends on. */
  readonly utilization: number
}

/** Steps of this length around a circle leave no gap larger than they must. */
const GOLDEN = 0.618_033_988_749_895

/** Courses whose counted parts differ by less than this are one: their responses could not be told apart. */
const SAME_MS = 0.5

interface Gathered {
  baseMs: number
  serviceMs: number
  /** Sum over all requests. */
  utilization: number
  count: number
}

/** Response times of an interval: courses while it lasts, a sparse sorted histogram when it is asked for. */
export class ResponseTimes {
  #gathered: Gathered[] = []
  #counts: number[] = []
  readonly #offsetsMs: readonly number[]
  readonly #queueingShare: number
  #turn = 0

  /** By how much responses differ that have the same course, each as likely as the others. */
  constructor(offsetsMs: readonly number[] = [0], queueingShare = 1) {
    this.#offsetsMs = offsetsMs
    this.#queueingShare = queueingShare
  }

  addCourse({ baseMs, serviceMs, utilization }: Course, count: number): void {
    const last = this.#gathered.at(-1)
    if (last && Math.abs(last.baseMs - baseMs) < SAME_MS && last.serviceMs === serviceMs) {
      last.count += count
      last.utilization += utilization * count
    } else this.#gathered.push({ baseMs, serviceMs, utilization: utilization * count, count })
  }

  /** What was gathered since the last time. */
  take(): LatencyCounts {
    for (const course of this.#gathered) this.#spread(course)
    const counts = this.#counts
    this.#gathered = []
    this.#counts = []
    return counts
  }

  /** A share of the requests finds the loop idle; the others wait, each part as long as its share of waits does. */
  #spread({ baseMs, serviceMs, utilization, count }: Gathered): void {
    const busy = Math.min(utilization / count, HIGHEST_UTILIZATION)
    const meanWaitMs = (this.#queueingShare * serviceMs) / (2 * (1 - busy))
    let share = 1 - busy
    let counted = Math.round(count * share)
    this.#addEach(baseMs, counted)
    for (const { part, multiple } of WAITS) {
      share += busy * part
      const upTo = Math.round(count * Math.min(1, share))
      this.#addEach(baseMs + multiple * meanWaitMs, upTo - counted)
      counted = upTo
    }
  }

  /** Takes the offsets by turns, far apart from one to the next, so that few responses show all of them too. */
  #addEach(durationMs: number, count: number): void {
    if (count === 0) return
    const { length } = this.#offsetsMs
    const each = Math.floor(count / length)
    if (each > 0) for (const offsetMs of this.#offsetsMs) this.#add(Math.max(0, durationMs + offsetMs), each)
    for (let left = count - each * length; left > 0; left--) {
      this.#turn = (this.#turn + GOLDEN) % 1
      this.#add(Math.max(0, durationMs + (this.#offsetsMs[Math.floor(this.#turn * length)] as number)), 1)
    }
  }

  #add(durationMs: number, count: number): void {
    if (count <= 0) return
    const counts = this.#counts
    const bucket = bucketOf(durationMs)
    let place = counts.length
    while (place > 0 && (counts[place - 2] as number) > bucket) place -= 2
    if (place > 0 && counts[place - 2] === bucket) counts[place - 1] = (counts[place - 1] as number) + count
    else if (place === counts.length) counts.push(bucket, count)
    else counts.splice(place, 0, bucket, count)
  }
}

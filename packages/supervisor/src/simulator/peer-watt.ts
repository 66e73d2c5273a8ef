import { type Peer, type PeerInput, type PeerWorker, meanOf } from './peer.ts'

const UP_ABOVE = 0.8
const DOWN_BELOW = 0.2
const UP_WINDOW_MS = 10_000
const DOWN_WINDOW_MS = 60_000
/** Its window of 60 s, times a thousand once more, as its source has it: a large heap of 16 hours ago is in the way today. */
const MEMORY_WINDOW_MS = 60_000_000
const GRACE_MS = 30_000
const COOLDOWN_MS = 20_000
const LOOK_EVERY_MS = 60_000
const USABLE_MEMORY_SHARE = 0.9

/**
 * Watt's DynamicWorkersScaler (runtime 3.67.0) with its defaults: event-loop utilisation only, mean over workers of each one's mean of
 * 10 seconds (up, above 0.8) or 60 (down, below 0.2); it looks when one sample is above 0.8 and every minute, never within 20 seconds of the end of a
 * change; workers younger than 30 seconds do not count, those that have gone do for as long as their samples; one step at a time, and down wins.
 * None more when what a worker takes in the mean of 16.7 hours is more than there is. Resident memory stands in for the heap.
 */
export function createWatt(): Peer {
  const workers = new Map<number, Past>()
  let changedAtMs = Number.NEGATIVE_INFINITY
  let isChanging = false
  let minute = 0

  function decide(seen: PeerInput): number {
    const grown = seen.ready.filter(({ readyForMs }) => readyForMs >= GRACE_MS)
    for (const worker of grown) pastOf(worker.workerId).add(seen.nowMs, worker)
    for (const [workerId, past] of workers) if (past.forget(seen.nowMs)) workers.delete(workerId)
    const isMinute = Math.floor(seen.nowMs / LOOK_EVERY_MS) > minute
    minute = Math.floor(seen.nowMs / LOOK_EVERY_MS)
    if (isChanging && seen.booting.length > 0) return seen.target
    if (isChanging) changedAtMs = seen.nowMs
    isChanging = false
    const isHot = grown.some(({ eventLoopUtilization }) => (eventLoopUtilization ?? 0) > UP_ABOVE)
    if (!(isHot || isMinute) || seen.nowMs - changedAtMs < COOLDOWN_MS) return seen.target
    const wanted = wantedBy(seen)
    isChanging = wanted !== seen.target
    return wanted
  }

  function pastOf(workerId: number): Past {
    const past = workers.get(workerId) ?? new Past()
    workers.set(workerId, past)
    return past
  }

  function wantedBy({ nowMs, target, min, max, cpus, memoryBytes, usedMemoryBytes }: PeerInput): number {
    const pasts = [...workers.values()]
    const busyFor = (windowMs: number): number => hundredths(meanOf(pasts.flatMap((past) => past.utilization(nowMs - windowMs) ?? [])))
    if (pasts.every((past) => past.utilization(nowMs - DOWN_WINDOW_MS) === null)) return target
    if (target > min && busyFor(DOWN_WINDOW_MS) < DOWN_BELOW) return target - 1
    const hasRoom = meanOf(pasts.map((past) => past.memoryBytes())) < memoryBytes * USABLE_MEMORY_SHARE - usedMemoryBytes
    return busyFor(UP_WINDOW_MS) > UP_ABOVE && hasRoom && target < Math.min(max, Math.floor(cpus)) ? target + 1 : target
  }

  return { name: 'watt', source: 'Platformatic runtime 3.67.0, worker-scaler.js, defaults (github.com/platformatic/platformatic)', decide }
}

const hundredths = (value: number): number => Math.round(value * 100) / 100

/** What is remembered of one worker: its utilisation for a minute, sample by sample; its memory for 16.7 hours, summed up by minutes. */
class Past {
  #busy: { readonly atMs: number; readonly share: number }[] = []
  #minutes: { readonly atMs: number; sum: number; count: number }[] = []

  add(nowMs: number, { eventLoopUtilization, memoryBytes }: PeerWorker): void {
    if (eventLoopUtilization === null) return
    this.#busy.push({ atMs: nowMs, share: eventLoopUtilization })
    const atMs = Math.floor(nowMs / 60_000) * 60_000
    if (this.#minutes.at(-1)?.atMs !== atMs) this.#minutes.push({ atMs, sum: 0, count: 0 })
    const minute = this.#minutes.at(-1)
    if (!minute || memoryBytes === null) return
    minute.sum += memoryBytes
    minute.count++
  }

  /** Drops what is too old; whether nothing is left. */
  forget(nowMs: number): boolean {
    while (this.#busy[0] && this.#busy[0].atMs < nowMs - DOWN_WINDOW_MS) this.#busy.shift()
    while (this.#minutes[0] && this.#minutes[0].atMs < nowMs - MEMORY_WINDOW_MS) this.#minutes.shift()
    return this.#minutes.length === 0
  }

  utilization(sinceMs: number): number | null {
    const within = this.#busy.filter(({ atMs }) => atMs >= sinceMs)
    return within.length === 0 ? null : meanOf(within.map(({ share }) => share))
  }

  memoryBytes(): number {
    const [sum, count] = this.#minutes.reduce(([total, number], each) => [total + each.sum, number + each.count], [0, 0])
    return count === 0 ? 0 : sum / count
  }
}

import { Histories, type Peer, type PeerInput, meanOf } from './peer.ts'

const UP_ABOVE = 0.8
const DOWN_BELOW = 0.2
const UP_WINDOW = 10
const DOWN_WINDOW = 60
const GRACE_MS = 30_000
const COOLDOWN_MS = 20_000
const LOOK_EVERY_MS = 60_000
const USABLE_MEMORY_SHARE = 0.9

/**
 * Watt's DynamicWorkersScaler (runtime 3.67.0) with its defaults: event-loop utilisation only, mean over workers of each one's mean of
 * 10 seconds (up, above 0.8) or 60 (down, below 0.2); it looks when one sample is above 0.8 and every minute otherwise, never within 20 seconds of a
 * change; workers younger than 30 seconds do not count; one step at a time, and down wins. Resident memory stands in for the heap.
 */
export function createWatt(): Peer {
  const histories = new Histories(DOWN_WINDOW)
  let changedAtMs = Number.NEGATIVE_INFINITY
  let lookedAtMs = 0

  function decide(seen: PeerInput): number {
    const grown = seen.ready.filter(({ readyForMs }) => readyForMs > GRACE_MS)
    histories.add(grown, ({ eventLoopUtilization }) => eventLoopUtilization)
    const isHot = grown.some(({ eventLoopUtilization }) => (eventLoopUtilization ?? 0) > UP_ABOVE)
    if (!isHot && seen.nowMs - lookedAtMs < LOOK_EVERY_MS) return seen.target
    if (seen.nowMs - changedAtMs < COOLDOWN_MS) return seen.target
    lookedAtMs = seen.nowMs
    const wanted = wantedBy(seen)
    if (wanted !== seen.target) changedAtMs = seen.nowMs
    return wanted
  }

  function wantedBy(seen: PeerInput): number {
    const means = histories.means(DOWN_WINDOW)
    if (means.length === 0) return seen.target
    if (seen.target > seen.min && hundredths(meanOf(means)) < DOWN_BELOW) return seen.target - 1
    const eachBytes = meanOf(seen.ready.flatMap(({ memoryBytes }) => memoryBytes ?? []))
    const hasRoom = eachBytes < seen.memoryBytes * USABLE_MEMORY_SHARE - seen.usedMemoryBytes
    const isBusy = hundredths(meanOf(histories.means(UP_WINDOW))) > UP_ABOVE
    return isBusy && hasRoom && seen.target < Math.min(seen.max, Math.floor(seen.cpus)) ? seen.target + 1 : seen.target
  }

  return { name: 'watt', source: 'Platformatic runtime 3.67.0, worker-scaler.js, defaults (github.com/platformatic/platformatic)', decide }
}

const hundredths = (value: number): number => Math.round(value * 100) / 100

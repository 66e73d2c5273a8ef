import { Histories, type Peer, type PeerInput, meanOf } from './peer.ts'

const SAMPLES = 30
const ADD_ABOVE = 0.3
const RELEASE_BELOW = 0.05
const ADD_PAUSE_MS = 10_000
const RELEASE_PAUSE_MS = 30_000

/**
 * pm2-autoscale 1.4.0 with its defaults: one more when the busiest worker's mean CPU of 30 seconds is at least 30 %, one less when the
 * mean of all is below 5 %; pauses of 10 and 30 seconds, from the last change of the set of processes; at most one worker per core but one;
 * none more when free memory is less than a worker takes.
 */
export function createPm2Autoscale(): Peer {
  const histories = new Histories(SAMPLES)
  let known = ''
  let changedAtMs = Number.NEGATIVE_INFINITY

  function decide(seen: PeerInput): number {
    histories.add(seen.ready, ({ cpu }) => cpu)
    const ids = seen.ready.map(({ workerId }) => workerId).join()
    if (ids !== known) {
      known = ids
      changedAtMs = seen.nowMs
    }
    const means = histories.means(SAMPLES)
    if (means.length === 0) return seen.target
    const sinceMs = seen.nowMs - changedAtMs
    const most = Math.min(seen.max, Math.max(1, Math.floor(seen.cpus) - 1))
    const eachBytes = meanOf(seen.ready.flatMap(({ memoryBytes }) => memoryBytes ?? []))
    const hasRoom = seen.memoryBytes - seen.usedMemoryBytes > eachBytes
    if (Math.max(...means) >= ADD_ABOVE && sinceMs > ADD_PAUSE_MS && seen.target < most && hasRoom) return seen.target + 1
    if (meanOf(means) < RELEASE_BELOW && sinceMs > RELEASE_PAUSE_MS && seen.target > seen.min) return seen.target - 1
    return seen.target
  }

  return { name: 'pm2-autoscale', source: 'pm2-autoscale 1.4.0, defaults (github.com/VeXell/pm2-autoscale)', decide }
}

import { Histories, type Peer, type PeerInput, meanOf } from './peer.ts'

const SAMPLES = 30
/** Per cent of a core. */
const ADD_FROM = 30
const RELEASE_BELOW = 5
const ADD_PAUSE_S = 10
const RELEASE_PAUSE_S = 30
const MB = 1024 * 1024

/**
 * pm2-autoscale 1.4.0 with its defaults: one more when the busiest process' mean CPU of 30 seconds is at least 30 %, else one less when the mean of all
 * is below 5 %, both in whole per cent; more than 10 seconds after it last saw a process come, or 30 after it last saw one go; at most one process per core
 * but one; none more when free memory is no more than a process takes. A process counts from its fork on, as its CPU does.
 */
export function createPm2Autoscale(): Peer {
  const loads = new Histories(SAMPLES)
  const sizes = new Histories(SAMPLES)
  let known = new Set<number>()
  let addedAtMs = Number.NEGATIVE_INFINITY
  let releasedAtMs = Number.NEGATIVE_INFINITY

  function decide(seen: PeerInput): number {
    const online = [...seen.ready, ...seen.booting]
    const ids = new Set(online.map(({ workerId }) => workerId))
    if ([...known].some((id) => !ids.has(id))) releasedAtMs = seen.nowMs
    if ([...ids].some((id) => !known.has(id))) addedAtMs = seen.nowMs
    known = ids
    loads.add(online, ({ cpu }) => cpu && Math.round(cpu * 1000) / 10)
    sizes.add(online, ({ memoryBytes }) => memoryBytes && Math.round(memoryBytes / MB))
    const means = loads.means(SAMPLES).map(Math.round)
    if (means.length === 0) return seen.target
    const most = Math.min(seen.max, Math.floor(seen.cpus) - 1)
    if (Math.max(...means) >= ADD_FROM && online.length < most) return added(seen)
    return Math.round(meanOf(means)) < RELEASE_BELOW && online.length > seen.min ? released(seen) : seen.target
  }

  function added({ nowMs, target, memoryBytes, usedMemoryBytes }: PeerInput): number {
    const freeMb = Math.round((memoryBytes - usedMemoryBytes) / MB)
    const eachMb = Math.round(meanOf(sizes.means(SAMPLES).map(Math.round)))
    if (freeMb <= eachMb || secondsSince(addedAtMs, nowMs) <= ADD_PAUSE_S) return target
    addedAtMs = nowMs
    return target + 1
  }

  function released({ nowMs, target }: PeerInput): number {
    if (secondsSince(releasedAtMs, nowMs) <= RELEASE_PAUSE_S) return target
    releasedAtMs = nowMs
    return target - 1
  }

  return { name: 'pm2-autoscale', source: 'pm2-autoscale 1.4.0, defaults (github.com/VeXell/pm2-autoscale)', decide }
}

const secondsSince = (atMs: number, nowMs: number): number => Math.round((nowMs - atMs) / 1000)

import type { Fleet, FleetSettings } from '../fleet/fleet.ts'
import type { Prices } from '../policy/cost.ts'
import { createHpa } from './peer-hpa.ts'
import { createPm2Autoscale } from './peer-pm2.ts'
import type { Peer, PeerInput, PeerWorker } from './peer.ts'
import { createWatt } from './peer-watt.ts'
import type { Plan } from './plan.ts'
import { type Outcome, simulate } from './simulate.ts'

export interface Compared {
  readonly name: string
  readonly source: string
  readonly outcome: Outcome
}

const PEERS: Readonly<Record<string, () => Peer>> = { 'pm2-autoscale': createPm2Autoscale, watt: createWatt, hpa: createHpa }

/** Lets policies of others decide on the same load, machine and workers. They have no spares, since none of them knows any. */
export function comparePeers(plan: Plan, settings: FleetSettings, prices: Prices, keepsMoments = true): Compared[] {
  const withoutSpares = { ...settings, workers: { ...settings.workers, spares: 0 } }
  return Object.values(PEERS).map((create) => {
    const peer = create()
    const pilot = (fleet: Fleet, nowMs: number): number => clamped(peer.decide(peerInput(fleet, nowMs)), settings)
    return { name: peer.name, source: peer.source, outcome: simulate({ ...plan, expect: {} }, withoutSpares, prices, { pilot, keepsMoments }) }
  })
}

const clamped = (workers: number, { workers: { min, max } }: FleetSettings): number => Math.min(max, Math.max(min, workers))

function peerInput(fleet: Fleet, nowMs: number): PeerInput {
  const { workers, capacity } = fleet.settings
  const seen = fleet.workers.map(({ life, id: workerId, cpu, memoryBytes, report, reportAtMs }) => {
    const eventLoopUtilization = reportAtMs === fleet.nowMs ? (report?.eventLoopUtilization ?? null) : null
    const readyForMs = life.kind === 'ready' ? fleet.nowMs - life.readyAtMs : 0
    return { kind: life.kind, workerId, readyForMs, cpu, memoryBytes, eventLoopUtilization }
  })
  const those = (kind: 'ready' | 'booting'): PeerWorker[] => seen.filter((worker) => worker.kind === kind)
  const { cpus, memoryBytes } = capacity
  return {
    nowMs,
    ready: those('ready'),
    booting: those('booting'),
    target: fleet.target,
    min: workers.min,
    max: workers.max,
    cpus,
    memoryBytes,
    usedMemoryBytes: fleet.usage.memoryBytes ?? 0,
  }
}

import type { Decision } from '../policy/decision.ts'
import { type Peers, type ReplicaNeed, type ReplicaTotals, decideReplicas, replicaNeed, wantedWorkers } from '../policy/replicas.ts'
import type { ScaleInput } from '../policy/scale.ts'
import type { Draft } from './draft.ts'
import type { Fleet } from './fleet.ts'

/** Once a tick: sums this replica up, and asks how many of them there should be. Only the elected one tells of it. */
export function countReplicas(draft: Draft, input: ScaleInput, decision: Decision): ReplicaNeed | null {
  const { fleet } = draft
  const own = { wanted: wantedWorkers(input.signals, decision, fleet.settings.scaling.up, input.serving), most: mostWorkers(input) }
  // Who cannot tell how many there are has nothing new to say.
  if (fleet.peers === null || fleet.peers.others !== null) ask(draft, input, { ...own, needs: null })
  fleet.totals = { ...own, needs: fleet.replicas.needs }
  return standingNeed(fleet)
}

/** Null where there are as many as are needed. */
export function standingNeed({ replicas, settings }: Pick<Fleet, 'replicas' | 'settings'>): ReplicaNeed | null {
  return replicas.needs === replicas.have ? null : replicaNeed(replicas, settings.prices)
}

function ask({ fleet, notes }: Draft, { nowMs, intervalMs }: ScaleInput, own: ReplicaTotals): void {
  const { settings, replicas: before } = fleet
  const totals = [own]
  for (const peer of fleet.peers?.others ?? []) if (peer.totals) totals.push(peer.totals)
  const limit = settings.database?.options.replicas ?? null
  const elected = electedOf(fleet.peers)
  const next = decideReplicas(before, { nowMs, intervalMs, totals, limit, elected }, settings.scaling)
  fleet.replicas = next
  const isNews = next.needs !== before.needs && next.have === before.have
  if (elected === null && isNews) notes.push({ kind: 'fleet:replicas', ...replicaNeed(next, settings.prices) })
}

/** The replica with the lowest id speaks for all; null where that is this one. */
function electedOf(peers: Peers | null): { readonly id: string; readonly needs: number | null } | null {
  if (peers === null || peers.others === null) return null
  const lower = peers.others.filter(({ id }) => id < peers.ownId)
  return lower.length === 0 ? null : lower.map(({ id, totals }) => ({ id, needs: totals?.needs ?? null })).reduce((a, b) => (b.id < a.id ? b : a))
}

function mostWorkers({ max, ceiling, databaseCeiling }: ScaleInput): number {
  return Math.min(max, ceiling.workers, databaseCeiling?.workers ?? max)
}

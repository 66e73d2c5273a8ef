import { ClusterCheckers, type ClusterSeen } from './cluster-checkers.ts'
import { type Verdict, HEALED_BY_MS, SLACK_MS, TRANSCRIPT_STEPS, notHealed } from './verdict.ts'
import type { Helm } from './helm.ts'
import { Judge } from './judge.ts'
import type { Life } from './random-life.ts'
import { Recent } from './recent.ts'
import type { ReplicaModel } from './scenario.ts'
import { Service } from './service.ts'
import { transcriptOf } from './transcript.ts'
import type { Turn } from './turn.ts'

/** Lives a life of several replicas to its end, as `examine` does: each is judged by itself, and what they share by all of them. */
export function examineReplicas({ settings, scenario }: Life, replicas: ReplicaModel, helm: Helm = {}): Verdict {
  const judges = new Map<string, Judge>()
  const { database } = settings
  const cluster = database?.isShared ? new ClusterCheckers({ available: database.cluster, floor: database.available }) : null
  const broken: string[] = []
  const recent = new Recent(TRANSCRIPT_STEPS)
  let [steps, last] = [0, null as ClusterSeen | null]
  const judgeOf = (id: string): Judge => {
    const known = judges.get(id) ?? new Judge(settings)
    judges.set(id, known)
    return known
  }
  function see(id: string, turn: Turn): void {
    if (broken.length > 0) return
    steps++
    recent.add(turn)
    for (const sentence of judgeOf(id).after(turn)) broken.push(`${id}: ${sentence}`)
  }
  function look(seen: ClusterSeen): void {
    last = seen
    if (broken.length === 0 && cluster) broken.push(...cluster.after(seen))
  }
  const service = new Service({ settings, scenario, replicas, startsAtMs: 0, helm, see, look })
  service.run(HEALED_BY_MS)
  if (broken.length === 0) {
    if (service.replicas.length < replicas.min) broken.push(`${service.replicas.length} replicas are there; ${replicas.min} should be`)
    for (const { id, fleet, ended } of service.replicas) {
      const { checkers, leases } = judgeOf(id)
      broken.push(...[...notHealed({ fleet, ended }, checkers), ...leases.atRest({ fleet }, fleet.nowMs)].map((sentence) => `${id}: ${sentence}`))
    }
    if (cluster && last) broken.push(...cluster.atRest(last))
  }
  service.stop()
  if (broken.length === 0) service.run(HEALED_BY_MS + settings.drain.timeoutMs + SLACK_MS + settings.tickMs)
  if (broken.length === 0 && service.replicas.length > 0) broken.push(`the stop did not end ${service.replicas.map(({ id }) => id).join(', ')}`)
  return { broken, steps, transcript: broken.length === 0 ? [] : transcriptOf(recent.turns()) }
}

import type { Helm } from './helm.ts'
import { Judges } from './judges.ts'
import { LOOK_MS, getsShorter } from './liveness.ts'
import type { Life } from './random-life.ts'
import { Recent } from './recent.ts'
import type { ReplicaModel } from './scenario.ts'
import { Service } from './service.ts'
import { transcriptOf } from './transcript.ts'
import { type Verdict, HEALED_BY_MS, SLACK_MS, TRANSCRIPT_STEPS } from './verdict.ts'

/** Lives a life of several replicas to its end, as `examine` does: each is judged by itself, and what they share by all of them. */
export function examineReplicas({ settings, scenario }: Life, replicas: ReplicaModel, helm: Helm = {}): Verdict {
  const judges = new Judges(settings)
  const broken: string[] = []
  const recent = new Recent(TRANSCRIPT_STEPS)
  let steps = 0
  const service = new Service({
    settings,
    scenario,
    replicas,
    startsAtMs: 0,
    helm,
    see(id, turn) {
      if (broken.length > 0) return
      steps++
      recent.add(turn)
      broken.push(...judges.after(id, turn))
    },
    look(seen) {
      if (broken.length === 0) broken.push(...judges.look(seen))
    },
  })
  service.run(HEALED_BY_MS - LOOK_MS)
  service.settle()
  const before = service.waiting
  service.run(HEALED_BY_MS)
  if (broken.length === 0) broken.push(...judges.atRest(service.replicas, replicas.min), ...getsShorter(service, before, HEALED_BY_MS))
  service.stop()
  if (broken.length === 0) service.run(service.nowMs + settings.drain.timeoutMs + SLACK_MS + settings.tickMs)
  if (broken.length === 0 && service.replicas.length > 0) broken.push(`the stop did not end ${service.replicas.map(({ id }) => id).join(', ')}`)
  return { broken, steps, transcript: broken.length === 0 ? [] : transcriptOf(recent.turns()) }
}

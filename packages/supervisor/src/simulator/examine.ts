import type { Helm } from './helm.ts'
import { examineReplicas } from './examine-replicas.ts'
import { LOOK_MS, getsShorter } from './liveness.ts'
import { Judge } from './judge.ts'
import type { Life } from './random-life.ts'
import { transcriptOf } from './transcript.ts'
import { Recent } from './recent.ts'
import { type Verdict, HEALED_BY_MS, SLACK_MS, TRANSCRIPT_STEPS } from './verdict.ts'
import { World } from './world.ts'

const STOP_AFTER_MS = 100

/** Lives a life to its end: all rules after every step, then faults end and it must heal, then a stop must end it. */
export function examine({ settings, scenario }: Life, core?: Helm['step']): Verdict {
  if (scenario.replicas) return examineReplicas({ settings, scenario }, scenario.replicas, core ? { step: core } : {})
  const judge = new Judge(settings)
  const broken: string[] = []
  const recent = new Recent(TRANSCRIPT_STEPS)
  let [steps, answered] = [0, 0]
  const world: World = new World(
    settings,
    scenario,
    0,
    (turn) => {
      // The first step that breaks a rule tells the most; what follows from it does not.
      if (broken.length > 0) return
      steps++
      recent.add(turn)
      for (const command of turn.commands) if (command.kind === 'answer') answered++
      broken.push(...judge.after(turn))
      if (broken.length > 0) world.ended = true
    },
    core ? { step: core } : {},
  )
  world.run(HEALED_BY_MS - LOOK_MS)
  world.settle()
  const before = world.waiting
  world.run(HEALED_BY_MS)
  if (broken.length === 0) broken.push(...judge.atRest(world), ...getsShorter(world, before, HEALED_BY_MS))
  world.tell((nowMs) => ({ kind: 'stopRequested', reason: 'the run ends', nowMs }), STOP_AFTER_MS)
  if (broken.length === 0) world.run(world.nowMs + STOP_AFTER_MS + settings.drain.timeoutMs + SLACK_MS)
  if (broken.length === 0 && !world.ended) broken.push('the stop did not end it')
  const asked = scenario.requests.length
  if (broken.length === 0 && answered !== asked) broken.push(`${answered} of ${asked} requests were answered`)
  return { broken, steps, transcript: broken.length === 0 ? [] : transcriptOf(recent.turns()) }
}

/** The smallest life that is still broken: faults, requests and load that it does not need are taken out, one by one. */
export function shrink(life: Life, core?: Helm['step']): Life {
  let smallest = life
  for (let before = -1; before !== sizeOf(smallest); ) {
    before = sizeOf(smallest)
    for (const part of ['faults', 'requests', 'load'] as const) {
      for (let index = smallest.scenario[part].length - 1; index >= 0; index--) {
        const rest = smallest.scenario[part].filter((_, other) => other !== index)
        if (part === 'load' && rest.length === 0) continue
        const smaller = { ...smallest, scenario: { ...smallest.scenario, [part]: rest } }
        if (examine(smaller, core).broken.length > 0) smallest = smaller
      }
    }
  }
  return smallest
}

const sizeOf = ({ scenario }: Life): number => scenario.faults.length + scenario.requests.length + scenario.load.length

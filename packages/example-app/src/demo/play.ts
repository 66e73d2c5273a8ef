import { setTimeout as sleep } from 'node:timers/promises'
import type { ControlClient, Decision } from 'stationmaster'
import type { Phase } from './phases.ts'
import { measurePromotions } from './promotion.ts'
import { newRecording, type Recording, sampleOf, secondsInto } from './recorder.ts'
import type { Outcome } from './summary.ts'
import { measureOneWorker, startTraffic, type Traffic } from './traffic.ts'
import { openView, type View } from './view.ts'

export type Stage = {
  readonly url: string
  readonly control: ControlClient
  readonly phases: readonly Phase[]
  readonly isOver: () => boolean
}

type Scene = Stage & { readonly oneWorker: number; readonly recording: Recording; readonly traffic: Traffic; readonly view: View }

const lookEveryMs = 500
const rememberedDecisions = 200

/** All phases one after the other. `null` when it was ended before its time. */
export async function play(stage: Stage): Promise<Outcome | null> {
  const { url, control, phases, isOver } = stage
  const oneWorker = await measureOneWorker(url, sleep)
  const rush = oneWorker * Math.max(...phases.map((phase) => phase.shareOfOneWorker))
  console.log(`One worker answers ${Math.round(oneWorker)} requests a second on this machine; the rush will bring ${Math.round(rush)}.\n`)
  const recording = newRecording()
  const traffic = startTraffic(url)
  const scene: Scene = { ...stage, oneWorker, recording, traffic, view: openView(process.stdout) }
  try {
    for (const phase of phases) if (!isOver()) await playPhase(phase, scene)
    if (isOver()) return null
    console.log('\nMeasuring how soon a new worker serves …')
    const { promotions, stats } = await measurePromotions(control, url, isOver)
    return isOver() ? null : { recording, promotions, probes: stats, ...(await traffic.stop()) }
  } finally {
    await traffic.stop()
  }
}

async function playPhase(phase: Phase, scene: Scene): Promise<void> {
  const { recording, traffic, oneWorker, isOver } = scene
  const fromS = secondsInto(recording)
  const due = oneWorker * phase.shareOfOneWorker
  const endWindow = traffic.requests.window()
  traffic.requests.setRate(due)
  while (!isOver() && goesOn(phase, secondsInto(recording) - fromS, recording)) {
    await sleep(lookEveryMs)
    await look(phase, due, scene)
  }
  recording.phases.push({ name: phase.name, fromS, toS: secondsInto(recording), due, stats: endWindow() })
}

function goesOn({ seconds, untilSmallestS = 0 }: Phase, passedS: number, { samples }: Recording): boolean {
  if (passedS < seconds) return true
  return samples.at(-1)?.ready !== samples[0]?.ready && passedS < seconds + untilSmallestS
}

async function look(phase: Phase, due: number, { recording, traffic, control, phases, view, isOver }: Scene): Promise<void> {
  const answer = Promise.all([control.status(), control.decisions(rememberedDecisions)])
  const [status, decisions] = await answer.catch((error: unknown) => {
    if (isOver()) return []
    throw error
  })
  if (!status || !decisions) return
  recording.samples.push(sampleOf(secondsInto(recording), due, status, traffic.requests.lap()))
  recording.decisions = changesOf(decisions, recording)
  view.show({
    phase: phase.name,
    totalS: phases.reduce((total, { seconds }) => total + seconds, 0),
    samples: recording.samples,
    failed: traffic.requests.stats().failed,
    status,
    changes: recording.decisions.map((decision) => ({ ...decision, atS: secondsInto(recording, decision.atMs) })),
  })
}

const changesOf = (decisions: readonly Decision[], { startedAtMs }: Recording): Decision[] =>
  decisions.filter(({ atMs, from, to }) => from !== to && atMs >= startedAtMs)

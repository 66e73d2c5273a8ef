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
const settleTimeoutMs = 60_000
const quietShare = 0.3
/** A rush that the fleet has not answered by then gets heavier. */
const firmnessS = 8
const moreEachTime = 1.25
const mostShare = 4
const rememberedDecisions = 200

/** All phases one after the other. `null` when it was ended before its time. */
export async function play(stage: Stage): Promise<Outcome | null> {
  const { url, control, phases, isOver } = stage
  const oneWorker = await measureOneWorker(url, sleep)
  const rush = oneWorker * Math.max(...phases.map((phase) => phase.shareOfOneWorker))
  console.log(`One worker answers ${Math.round(oneWorker)} requests a second on this machine; the rush will bring ${Math.round(rush)}.\n`)
  await settle(stage)
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

/** What was measured before must not look like load of the first phase, nor leave a worker behind that came because of it. */
async function settle({ control, isOver }: Stage): Promise<void> {
  const end = performance.now() + settleTimeoutMs
  const isSettled = async (): Promise<boolean> => {
    const { ready, min, spares, eventLoopUtilization } = (await control.status()).fleet
    return ready === min && spares > 0 && (eventLoopUtilization ?? 1) < quietShare
  }
  while (!isOver() && !(await isSettled()) && performance.now() < end) await sleep(lookEveryMs)
}

async function playPhase(phase: Phase, scene: Scene): Promise<void> {
  const { recording, traffic, oneWorker, isOver } = scene
  const fromS = secondsInto(recording)
  const endWindow = traffic.requests.window()
  let due = oneWorker * phase.shareOfOneWorker
  let firmFromS = fromS
  traffic.requests.setRate(due)
  while (!isOver() && goesOn(phase, secondsInto(recording) - fromS, recording)) {
    await sleep(lookEveryMs)
    await look(phase, due, scene)
    if (phase.goal !== 'grown' || reached(phase, recording) || secondsInto(recording) - firmFromS < firmnessS) continue
    // One worker can do more than it could when it was measured, on a machine that was busy with something else.
    due = Math.min(due * moreEachTime, oneWorker * mostShare)
    firmFromS = secondsInto(recording)
    traffic.requests.setRate(due)
  }
  recording.phases.push({ name: phase.name, fromS, toS: secondsInto(recording), due, stats: endWindow() })
}

function goesOn(phase: Phase, passedS: number, recording: Recording): boolean {
  const { seconds, patienceS = 0 } = phase
  return passedS < seconds || (!reached(phase, recording) && passedS < seconds + patienceS)
}

function reached({ goal }: Phase, { samples }: Recording): boolean {
  const [first, last] = [samples[0]?.ready ?? 0, samples.at(-1)?.ready ?? 0]
  if (goal === 'grown') return last > first
  return goal !== 'smallest' || last <= first
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

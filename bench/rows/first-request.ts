import { type App, startBareCluster, startStationmaster } from '../harness/contestants.ts'
import { firstAnswerOfAnother } from '../harness/first-answer.ts'
import { familyOf } from '../harness/proc.ts'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { median, range } from '../harness/statistics.ts'
import { setTimeout as pause } from 'node:timers/promises'

const MUST_SPARE_MS = 25
const MUST_COLD_RATIO = 1.15
const ANSWER_LIMIT_MS = 15_000
/** Between the first question and the order, so that the questions themselves are warm. */
const LEAD_IN_MS = 100

export const spare: Row = {
  name: 'spare',
  title: 'Order to first request served by the new worker, spare promoted (median)',
  must: `≤ ${MUST_SPARE_MS} ms`,
  async run({ quick }) {
    const timesMs = await supervised('who', 1, quick ? 5 : 25)
    const middle = median(timesMs)
    return {
      measured: `${middle.toFixed(1)} ms`,
      spread: `${range(timesMs, 1)} ms`,
      reached: middle <= MUST_SPARE_MS,
      comparison: '',
      details: { timesMs },
    }
  },
}

export const cold: Row = {
  name: 'cold',
  title: 'Order to first request served, cold start of an Express app : bare fork of the same app',
  must: `≤ ${MUST_COLD_RATIO}`,
  run: runCold,
}

async function runCold({ quick }: Settings): Promise<Outcome> {
  const rounds = quick ? 3 : 9
  const ratios: number[] = []
  const details: Record<string, unknown> = {}
  for (const app of ['express', 'who'] as const) {
    const ours: number[] = []
    const theirs: number[] = []
    for (let round = 0; round < rounds; round++) {
      ours.push(...(await supervised(app, 0, 1)))
      theirs.push(await bare(app))
    }
    if (app === 'express') ratios.push(...ours.map((timeMs, index) => timeMs / (theirs[index] ?? Number.NaN)))
    details[app] = { stationmasterMs: ours, bareForkMs: theirs, ratio: median(ours) / median(theirs) }
  }
  const { stationmasterMs, bareForkMs, ratio } = details['express'] as { stationmasterMs: number[]; bareForkMs: number[]; ratio: number }
  const smallest = (details['who'] as { ratio: number }).ratio
  return {
    measured: ratio.toFixed(3),
    spread: range(ratios, 3),
    reached: ratio <= MUST_COLD_RATIO,
    comparison: `${median(stationmasterMs).toFixed(0)} : ${median(bareForkMs).toFixed(0)} ms; an app that loads nothing: ${smallest.toFixed(2)}`,
    details,
  }
}

/** From the order by hand, as given to the control socket, to the first answer of the worker that it brings. */
async function supervised(app: App, spares: 0 | 1, rounds: number): Promise<number[]> {
  const server = await startStationmaster(app, { min: 1, max: 2, spares, oversubscribe: true })
  const timesMs: number[] = []
  for (let round = 0; round < rounds; round++) {
    const { workers } = await server.settled(1, spares)
    const known = new Set(workers.filter(({ state }) => state === 'ready').map(({ pid }) => pid))
    timesMs.push(await timeOf(server.port, known, () => server.scale(2)))
    if (round + 1 < rounds) await server.scale(1)
  }
  await server.stop()
  return timesMs
}

/** The same by `cluster.fork()` in a primary that does nothing else. */
async function bare(app: App): Promise<number> {
  const server = await startBareCluster(app, 1)
  const timeMs = await timeOf(server.port, new Set(familyOf(server.pid)), () => Promise.resolve(server.fork()))
  await server.stop()
  return timeMs
}

async function timeOf(port: number, known: ReadonlySet<number>, order: () => Promise<void>): Promise<number> {
  const answered = firstAnswerOfAnother(port, known, ANSWER_LIMIT_MS)
  answered.catch(() => {})
  await pause(LEAD_IN_MS)
  const orderedAtMs = performance.now()
  const done = order()
  const timeMs = (await answered) - orderedAtMs
  await done
  return timeMs
}

import { type App, readyPids, startBareCluster, startStationmaster, type Stationmaster } from '../harness/contestants.ts'
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
    const server = await startStationmaster('who', { min: 1, max: 2, spares: 1, oversubscribe: true })
    const timesMs: number[] = []
    for (let round = 0; round < (quick ? 5 : 25); round++) {
      timesMs.push(await growOnce(server, 1))
      await server.scale(1)
    }
    await server.stop()
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
  const rounds = quick ? 4 : 25
  const express = await coldDuel('express', rounds)
  const smallest = await coldDuel('who', rounds)
  const ratio = median(express.ratios)
  return {
    measured: ratio.toFixed(3),
    spread: range(express.ratios, 3),
    reached: ratio <= MUST_COLD_RATIO,
    comparison: `${median(express.oursMs).toFixed(0)} : ${median(express.theirsMs).toFixed(0)} ms; an app that loads nothing: ${median(smallest.ratios).toFixed(2)}`,
    details: { express, who: smallest },
  }
}

/** In turn, so that what else the machine does meanwhile meets both. */
async function coldDuel(app: App, rounds: number): Promise<{ oursMs: number[]; theirsMs: number[]; ratios: number[] }> {
  const ours = await startStationmaster(app, { min: 1, max: 2, spares: 0, oversubscribe: true })
  const theirs = await startBareCluster(app, 1)
  const oursMs: number[] = []
  const theirsMs: number[] = []
  for (let round = 0; round < rounds; round++) {
    oursMs.push(await growOnce(ours, 0))
    await ours.scale(1)
    await ours.settled(1, 0)
    theirsMs.push(await timeOf(theirs.port, new Set(familyOf(theirs.pid)), () => Promise.resolve(theirs.fork())))
    await theirs.shrink()
  }
  await Promise.all([ours.stop(), theirs.stop()])
  return { oursMs, theirsMs, ratios: oursMs.map((timeMs, index) => timeMs / (theirsMs[index] ?? Number.NaN)) }
}

/** From the order by hand, as given to the control socket, to the first answer of the worker that it brings. */
async function growOnce(server: Stationmaster, spares: 0 | 1): Promise<number> {
  const known = new Set(readyPids(await server.settled(1, spares)))
  return timeOf(server.port, known, () => server.scale(2))
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

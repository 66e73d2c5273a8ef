import { setTimeout as pause } from 'node:timers/promises'
import { readyPids, startStationmaster } from '../harness/contestants.ts'
import { startLoad } from '../harness/load.ts'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { median, range } from '../harness/statistics.ts'

const MUST_S = 4
const CLIENTS = 64
/** Each request keeps the event loop busy for that long: one worker answers 200 per second, and 64 clients ask for more. */
const PATH = '/?ms=5'
const CALM_MS = 3000
const LIMIT_MS = 30_000

export const rush: Row = {
  name: 'rush',
  title: 'Rush begins to new capacity serving, all defaults (slowest of the rounds)',
  must: `≤ ${MUST_S} s`,
  run,
}

async function run({ quick }: Settings): Promise<Outcome> {
  const timesS: number[] = []
  for (let round = 0; round < (quick ? 2 : 7); round++) timesS.push(await rushOnce())
  const slowest = Math.max(...timesS)
  return {
    measured: `${slowest.toFixed(2)} s`,
    spread: `${range(timesS, 2)} s, median ${median(timesS).toFixed(2)} s`,
    reached: slowest <= MUST_S,
    comparison: '',
    details: { timesS },
  }
}

/** A fresh fleet each time: after a change the defaults wait a minute before the next. */
async function rushOnce(): Promise<number> {
  const server = await startStationmaster('who', { min: 1, max: 10 })
  const knownPids = readyPids(await server.settled(1, 1))
  await pause(CALM_MS)
  const load = startLoad({ port: server.port, path: PATH, connections: CLIENTS, durationMs: LIMIT_MS, knownPids })
  const seconds = (await load.newcomerAfterMs) / 1000
  load.stop()
  await load.report
  await server.stop()
  return seconds
}

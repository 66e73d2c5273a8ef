import { setTimeout as pause } from 'node:timers/promises'
import { type Contestant, startBareCluster, startStationmaster } from '../harness/contestants.ts'
import { startLoad } from '../harness/load.ts'
import { familyOf } from '../harness/proc.ts'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { sum } from '../harness/statistics.ts'

const WORKERS = 2
const CLIENTS = 64
const BEFORE_MS = 1000
const AFTER_MS = 3000

interface Toll {
  readonly refused: number
  /** Requests that a killed worker had begun; nobody can answer those. */
  readonly lost: number
  readonly answered: number
}

export const deaths: Row = {
  name: 'deaths',
  title: `All workers killed at once under ${CLIENTS} clients with new connections: refused connections`,
  must: '0',
  run,
}

async function run({ quick }: Settings): Promise<Outcome> {
  const ours: Toll[] = []
  const theirs: Toll[] = []
  for (let round = 0; round < (quick ? 1 : 5); round++) {
    ours.push(await massacre(() => startStationmaster('hello', { min: WORKERS, max: WORKERS, spares: 0 })))
    theirs.push(await massacre(() => startBareCluster('hello', WORKERS)))
  }
  const refused = sum(ours.map((toll) => toll.refused))
  const answered = sum(ours.map((toll) => toll.answered))
  return {
    measured: `${refused} of ${answered.toLocaleString('en')}`,
    spread: `${sum(ours.map((toll) => toll.lost))} requests were being answered by those killed`,
    reached: refused === 0 && answered > 0,
    comparison: `Node cluster: ${sum(theirs.map((toll) => toll.refused)).toLocaleString('en')} refused`,
    details: { stationmaster: ours, nodeCluster: theirs },
  }
}

/** Everything that the supervisor started dies in the same instant. */
async function massacre(startServer: () => Promise<Contestant>): Promise<Toll> {
  const server = await startServer()
  const load = startLoad({ port: server.port, connections: CLIENTS, keepAlive: false, durationMs: BEFORE_MS + AFTER_MS })
  await load.begun
  await pause(BEFORE_MS)
  for (const pid of familyOf(server.pid).slice(1)) process.kill(pid, 'SIGKILL')
  const { requests, failures } = await load.report
  await server.stop()
  const refused = failures['ECONNREFUSED'] ?? 0
  return { refused, lost: sum(Object.values(failures)) - refused, answered: requests }
}

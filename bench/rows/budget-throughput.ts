import { startStationmaster } from '../harness/contestants.ts'
import { Line, startDatabase } from '../harness/database.ts'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { median, range } from '../harness/statistics.ts'

const MUST_RATIO = 0.97
const SIZE = 8
const CALLERS = 32
const ROUND_MS = 400

export const budgetThroughput: Row = {
  name: 'budget-throughput',
  title: `Queries/s of a pool under a lease of ${SIZE}, ${CALLERS} callers : plain pg.Pool of the same size in the same process`,
  must: `≥ ${MUST_RATIO}`,
  run,
}

interface Rate {
  readonly perSecond: number
  readonly cpuMicroseconds: number
  readonly size: number
}

interface Round {
  readonly guarded: Rate
  readonly bare: Rate
}

async function run({ quick }: Settings): Promise<Outcome> {
  const database = await startDatabase(SIZE + 1)
  const config = { database: { budget: SIZE + 1, reserve: 1, minPerWorker: 1 } }
  // To the supervisor connections of the same role would be somebody else's, for which it makes room.
  const env = { DATABASE_URL: database.url, PLAIN_URL: database.otherUrl }
  const server = await startStationmaster('database', { min: 1, max: 1, spares: 0 }, { config, env })
  const line = new Line(server.port)
  const rounds = await line.ask<Round[]>(`/duel?size=${SIZE}&callers=${CALLERS}&ms=${ROUND_MS}&rounds=${quick ? 4 : 100}`)
  line.hangUp()
  await server.stop()
  await database.stop()
  const ratios = rounds.map(({ guarded, bare }) => guarded.perSecond / bare.perSecond)
  const ratio = median(ratios)
  const both = (of: keyof Rate): string =>
    (['guarded', 'bare'] as const).map((one) => median(rounds.map((round) => round[one][of])).toFixed(0)).join(' : ')
  return {
    measured: ratio.toFixed(3),
    spread: range(ratios, 3),
    reached: ratio >= MUST_RATIO && rounds.every(({ guarded, bare }) => guarded.size === SIZE && bare.size === SIZE),
    comparison: `${both('perSecond')} /s; CPU ${both('cpuMicroseconds')} µs each`,
    details: { rounds },
  }
}

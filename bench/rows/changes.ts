import { startStationmaster } from '../harness/contestants.ts'
import { type Load, startLoad } from '../harness/load.ts'
import { installPm2, startPm2 } from '../harness/pm2.ts'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { sum } from '../harness/statistics.ts'
import type { LoadReport } from '../loads/messages.ts'

const MUST_REQUESTS = 300_000
const CLIENTS = 64
const WORKERS = 4
const RELOADS = 3
const LOAD_LIMIT_MS = 180_000

export const changes: Row = {
  name: 'changes',
  title: `Rolling reload ×${RELOADS} and scale 4→1→4 under ${CLIENTS} keep-alive clients: failed requests`,
  must: `0 of ≥ ${MUST_REQUESTS.toLocaleString('en')}`,
  run,
}

async function run({ quick, peers }: Settings): Promise<Outcome> {
  const minRequests = quick ? 50_000 : MUST_REQUESTS
  const server = await startStationmaster('hello', { min: 1, max: WORKERS, oversubscribe: true })
  await server.scale(WORKERS)
  await server.settled(WORKERS)
  const ours = await underLoad(server.port, minRequests, async () => {
    for (let reload = 0; reload < RELOADS; reload++) await server.reload()
    for (const count of [1, WORKERS]) {
      await server.scale(count)
      await server.settled(count)
    }
  })
  await server.stop()
  const theirs = peers ? await pm2(minRequests) : 'not asked for'
  const failed = failuresOf(ours)
  return {
    measured: `${failed} of ${ours.requests.toLocaleString('en')}`,
    spread: failed === 0 ? '' : JSON.stringify(ours.failures),
    reached: failed === 0 && ours.requests >= minRequests,
    comparison: typeof theirs === 'string' ? '' : `PM2: ${failuresOf(theirs)} of ${theirs.requests.toLocaleString('en')}`,
    details: { stationmaster: ours, pm2: theirs },
  }
}

async function pm2(minRequests: number): Promise<LoadReport | string> {
  const missing = installPm2()
  if (missing !== null) return missing
  const server = await startPm2('hello', WORKERS)
  const report = await underLoad(server.port, minRequests, async () => {
    for (let reload = 0; reload < RELOADS; reload++) server.reload()
    for (const count of [1, WORKERS]) server.scale(count)
  })
  await server.stop()
  return report
}

async function underLoad(port: number, minRequests: number, change: () => Promise<void>): Promise<LoadReport> {
  const load: Load = startLoad({ port, connections: CLIENTS, durationMs: LOAD_LIMIT_MS, minRequests })
  await load.begun
  await change()
  load.stop()
  return load.report
}

function failuresOf(report: LoadReport): number {
  return sum(Object.values(report.failures))
}

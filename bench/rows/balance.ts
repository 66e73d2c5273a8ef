import net from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { startStationmaster } from '../harness/contestants.ts'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { median, range, sum } from '../harness/statistics.ts'
import { until } from '../harness/wait.ts'

const MUST_RATIO = 1.15
const WORKERS = 4
const CONNECTIONS = 1000
const GAP_MS = 2
const REPORTED_WITHIN_MS = 5000

export const balance: Row = {
  name: 'balance',
  title: `${CONNECTIONS} long-lived connections opened ${GAP_MS} ms apart on ${WORKERS} workers: fullest : mean (worst of the rounds)`,
  must: `≤ ${MUST_RATIO}`,
  run,
}

async function run({ quick }: Settings): Promise<Outcome> {
  const rounds: number[][] = []
  for (let round = 0; round < (quick ? 1 : 3); round++) rounds.push(await spread())
  const ratios = rounds.map((counts) => (Math.max(...counts) * WORKERS) / sum(counts))
  const worst = Math.max(...ratios)
  return {
    measured: worst.toFixed(2),
    spread: `${range(ratios, 2)}, median ${median(ratios).toFixed(2)}`,
    reached: worst <= MUST_RATIO,
    comparison: `connections of each worker: ${rounds.map((counts) => counts.join('/')).join(', ')}`,
    details: { rounds },
  }
}

/** How many connections each worker has in the end. */
async function spread(): Promise<number[]> {
  const server = await startStationmaster('hello', { min: WORKERS, max: WORKERS, spares: 0, oversubscribe: true })
  await server.settled(WORKERS, 0)
  const sockets: net.Socket[] = []
  const failures: Error[] = []
  const begunAtMs = performance.now()
  for (let index = 0; index < CONNECTIONS; index++) {
    sockets.push(net.connect(server.port, '127.0.0.1').on('error', (error) => failures.push(error)))
    await pause(Math.max(0, begunAtMs + (index + 1) * GAP_MS - performance.now()))
  }
  const counts = await until(
    () => `${CONNECTIONS} connections in the reports`,
    REPORTED_WITHIN_MS,
    async () => {
      const { workers } = await server.settled(WORKERS, 0)
      const connections = workers.map((worker) => worker.connections ?? 0)
      return sum(connections) === CONNECTIONS ? connections : null
    },
  )
  for (const socket of sockets) socket.destroy()
  await server.stop()
  if (failures[0]) throw failures[0]
  return counts
}

import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { type Contestant, startBareCluster, startLeastBusy, startStationmaster } from '../harness/contestants.ts'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { median, range, sum } from '../harness/statistics.ts'
import { within } from '../harness/wait.ts'

const MUST_RATIO = 1.15
const WORKERS = 4
const CONNECTIONS = 1000
const GAP_MS = 2
const ANSWERS_WITHIN_MS = 10_000
const REQUEST = 'GET / HTTP/1.1\r\nHost: bench\r\n\r\n'

const WAYS: Readonly<Record<string, () => Promise<Contestant>>> = {
  'round robin': () => startBareCluster('who', WORKERS),
  'least-busy': () => startLeastBusy('who', WORKERS),
  'reuse-port': () => startBareCluster('who', WORKERS, { REUSE_PORT: '1' }),
  'no scheduler at all': () => startBareCluster('who', WORKERS, { NODE_CLUSTER_SCHED_POLICY: 'none' }),
}

export const balance: Row = {
  name: 'balance',
  title: `${CONNECTIONS} long-lived connections opened ${GAP_MS} ms apart on ${WORKERS} workers: fullest : mean (worst of the rounds)`,
  must: `≤ ${MUST_RATIO}`,
  run,
}

async function run({ quick, peers }: Settings): Promise<Outcome> {
  const rounds: number[][] = []
  const startOurs = (): Promise<Contestant> => startStationmaster('who', { min: WORKERS, max: WORKERS, spares: 0, oversubscribe: true })
  for (let round = 0; round < (quick ? 1 : 3); round++) rounds.push(await spread(startOurs))
  const ratios = rounds.map(unevenness)
  const worst = Math.max(...ratios)
  const others: Record<string, number[]> = {}
  if (peers) for (const [name, start] of Object.entries(WAYS)) others[name] = await spread(start)
  const beside = Object.entries(others).map(([name, counts]) => `${name}: ${unevenness(counts).toFixed(2)}`)
  return {
    measured: worst.toFixed(2),
    spread: `${range(ratios, 2)}, median ${median(ratios).toFixed(2)}`,
    reached: worst <= MUST_RATIO,
    comparison: [...beside, `connections of each worker: ${rounds.map((counts) => counts.join('/')).join(', ')}`].join('; '),
    details: { rounds, others },
  }
}

function unevenness(counts: readonly number[]): number {
  return (Math.max(...counts) * WORKERS) / sum(counts)
}

/** How many connections each worker has in the end. */
async function spread(start: () => Promise<Contestant>): Promise<number[]> {
  const server = await start()
  const sockets: net.Socket[] = []
  const failures: Error[] = []
  const begunAtMs = performance.now()
  for (let index = 0; index < CONNECTIONS; index++) {
    sockets.push(net.connect(server.port, '127.0.0.1').on('error', (error) => failures.push(error)))
    await pause(Math.max(0, begunAtMs + (index + 1) * GAP_MS - performance.now()))
  }
  const owners = await within(`answers over ${CONNECTIONS} connections`, ANSWERS_WITHIN_MS, Promise.all(sockets.map(ownerOf)))
  for (const socket of sockets) socket.destroy()
  await server.stop()
  if (failures[0]) throw failures[0]
  const counts = new Map<string, number>()
  for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1)
  return [...counts.values()]
}

/** The process that answers on this connection. */
async function ownerOf(socket: net.Socket): Promise<string> {
  socket.write(REQUEST)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  return /pid (\d+)/.exec(answer.toString('latin1'))?.[1] ?? ''
}

import { fileURLToPath } from 'node:url'
import { freePort } from '../../processes/harness/leftovers.ts'
import type { Stage } from '../../processes/harness.ts'
import type { Station } from '../../processes/harness/station.ts'

export const SECRET: string = 'the secret of these replicas, which nobody guesses'

const BOUND_MS = 40_000

export interface Replica {
  readonly station: Station
  /** Where it takes what the others forward to it. */
  readonly peerPort: number
}

export interface ReplicaOptions {
  readonly redisUrl: string
  readonly entry?: string
  readonly config?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
}

const rooms = fileURLToPath(new URL('../fixtures/rooms.mjs', import.meta.url))

/** A supervisor that forwards to its peers; not ready yet. */
export async function launchReplica(stage: Stage, { redisUrl, entry = rooms, config = {}, env = {} }: ReplicaOptions): Promise<Replica> {
  const peerPort = await freePort()
  const station = await stage.launch({
    entry,
    config: {
      workers: { min: 2, max: 3, oversubscribe: true, spares: 0, bootTimeout: '20s' },
      redis: { url: redisUrl },
      replica: { listen: `127.0.0.1:${peerPort}` },
      ...config,
    },
    env: { STATIONMASTER_REPLICA_SECRET: SECRET, ...env },
  })
  return { station, peerPort }
}

/** So many of them, each of which has heard of all others. */
export async function startReplicas(stage: Stage, count: number, options: ReplicaOptions): Promise<Replica[]> {
  const replicas: Replica[] = []
  while (replicas.length < count) replicas.push(await launchReplica(stage, options))
  await Promise.all(replicas.map((replica) => allReady(replica)))
  await allHeard(replicas)
  return replicas
}

/** Several supervisors begin at the same time. */
export async function allReady({ station }: Replica, workers = 2): Promise<void> {
  await station.until(`${workers} workers, all ready`, ({ state, fleet }) => state === 'running' && fleet.ready === workers, BOUND_MS)
}

export async function allHeard(replicas: readonly Replica[]): Promise<void> {
  await Promise.all(
    replicas.map(({ station }) => station.until('it has heard of all others', ({ replica }) => replica.peers === replicas.length, BOUND_MS)),
  )
}

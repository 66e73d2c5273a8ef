import { randomUUID } from 'node:crypto'
import { access, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'vitest'
import { freePort, isListening, markOf, markedProcesses } from './harness/leftovers.ts'
import { Load } from './harness/load.ts'
import { type Place, type Station, type StationOptions, openStation } from './harness/station.ts'
import { until } from './harness/until.ts'

/** Where a test starts supervisors and clients. All of it is gone when the test is over, or the test fails and tells what stayed. */
export interface Stage {
  readonly folder: string
  /** Starts a supervisor. Without a place of its own it gets a new folder, control socket and port. */
  launch(options: StationOptions, place?: Place): Promise<Station>
  /** As `launch`, until so many workers are ready. */
  start(options: StationOptions, workers?: number): Promise<Station>
  /** Keep-alive clients that never pause. */
  load(station: Station, clients: number, url?: string): Load
  place(): Promise<Place>
  /** What lives of all that this test started. */
  alive(): Promise<{ readonly pid: number; readonly command: string }[]>
}

export const it = test.extend<{ stage: Stage }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern to see that nothing else is needed
  stage: async ({}, use) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'stationmaster-'))
    const id = randomUUID()
    const stations: Station[] = []
    const loads: Load[] = []
    const stage = setStage(folder, id, stations, loads)
    let left: string[] = []
    try {
      await use(stage)
    } finally {
      for (const load of loads) await load.stop()
      left = await clear(id, stations)
      await rm(folder, { recursive: true, force: true })
    }
    if (left.length > 0) throw new Error(`Left alive after the test:\n${left.join('\n')}`)
  },
})

function setStage(folder: string, id: string, stations: Station[], loads: Load[]): Stage {
  const stage: Stage = {
    folder,
    async launch(options, place) {
      const station = await openStation(options, place ?? (await stage.place()))
      stations.push(station)
      return station
    },
    async start(options, workers = 2) {
      const station = await stage.launch(options)
      await station.running(workers)
      return station
    },
    load(station, clients, url = '/') {
      const load = new Load({ port: station.port, path: url }, clients)
      loads.push(load)
      return load
    },
    place: async () => ({ folder: path.join(folder, String(stations.length)), port: await freePort(), mark: markOf(id) }),
    alive: async () => await markedProcesses(id),
  }
  return stage
}

/** Ends what still runs, in the orderly way, and tells what did not go with it. */
async function clear(id: string, stations: readonly Station[]): Promise<string[]> {
  const left: string[] = []
  for (const station of stations) {
    if (!station.ended) station.signal('SIGTERM')
    await station.ends().catch((error: Error) => left.push(error.message))
  }
  // A process that was told to die is listed until the kernel is done with it.
  await until('the end of all processes', async () => (await markedProcesses(id)).length === 0, { boundMs: 1000 }).catch(() => {})
  for (const { pid, command } of await markedProcesses(id)) {
    left.push(`process ${pid}: ${command}`)
    process.kill(pid, 'SIGKILL')
  }
  for (const station of stations) {
    if (await isListening({ host: '127.0.0.1', port: station.port })) left.push(`a listener on port ${station.port}`)
  }
  return [...left, ...(await filesLeft(stations))]
}

/** What was killed could not clear away its files; what ended in order left none. */
async function filesLeft(stations: readonly Station[]): Promise<string[]> {
  const wereKilled = new Set(stations.filter(({ ended }) => ended?.signal === 'SIGKILL').map(({ place }) => place.folder))
  const left: string[] = []
  for (const { socket, temporaryFolder, place } of stations) {
    if (wereKilled.has(place.folder)) continue
    const socketStays = await access(socket).then(
      () => true,
      () => false,
    )
    if (socketStays) left.push(`the control socket ${socket}`)
    for (const name of await readdir(temporaryFolder)) left.push(`${name} in ${temporaryFolder}`)
  }
  return left
}

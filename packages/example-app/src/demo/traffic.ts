import { type HttpLoad, startHttpLoad, startSessionLoad, startSocketLoad, type SessionStats, type SocketStats } from '../load.ts'

export type Traffic = {
  readonly requests: HttpLoad
  /** Ends all clients, and tells what became of the sessions and of the chat. */
  stop(): Promise<{ readonly people: SessionStats; readonly chat: SocketStats }>
}

const clients = 30
/** People come and go, and so do the connections of a proxy in front. */
const requestsPerClient = 20
/** Event-loop time of a request. Small enough for a smooth load, large enough to be felt. */
const requestCpuMs = 8
const calibrationConnections = 4
/** The first is to warm up. Of the others the best counts: what disturbs them can only make them worse. */
const laps = 4
const lapMs = 400

/** Mostly work for the event loop, some waiting, some questions to PostgreSQL. */
const paths = [...Array.from({ length: 8 }, () => `/cpu?ms=${requestCpuMs}`), '/wait?ms=20', '/query']

function mix(): () => string {
  let next = 0
  return () => paths[next++ % paths.length] ?? '/'
}

/** All clients of the demo; requests at a rate that the phases set. */
export function startTraffic(url: string): Traffic {
  const requests = startHttpLoad({ url, connections: clients, ratePerSecond: 0, path: mix(), requestsPerConnection: requestsPerClient })
  const sessions = startSessionLoad({ url, clients: 5, everyMs: 500 })
  const sockets = startSocketLoad({ url, clients: 20, everyMs: 2_000, rooms: 4 })
  return {
    requests,
    stop: async () => {
      const [people, chat] = await Promise.all([sessions.stop(), sockets.stop(), requests.stop()])
      return { people, chat }
    },
  }
}

/** How many of these requests one worker answers in a second. Too short for the fleet to grow over it. */
export async function measureOneWorker(url: string, pause: (ms: number) => Promise<void>): Promise<number> {
  const load = startHttpLoad({ url, connections: calibrationConnections, ratePerSecond: null, path: mix() })
  const rates: number[] = []
  for (let lap = 0; lap < laps; lap++) {
    await pause(lapMs)
    rates.push(load.lap().perSecond)
  }
  await load.stop()
  return Math.max(...rates.slice(1))
}

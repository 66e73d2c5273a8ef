import path from 'node:path'
import type { Status } from '../fleet/status.ts'
import type { TimedNote } from '../fleet/note.ts'
import type { Decision } from '../policy/decision.ts'
import { askSupervisor, openStream, readLines } from './control-request.ts'
import { parseEvents } from './parse-events.ts'

/** Where a supervisor listens unless it is told otherwise, seen from its working folder. */
export const DEFAULT_CONTROL_SOCKET = '.stationmaster/control.sock'

/** Talks to a running supervisor. Every call rejects with a StationmasterError: SM_NO_SUPERVISOR when nobody listens, else what the supervisor says. */
export interface ControlClient {
  /** The socket it talks to, absolute. */
  readonly path: string
  status(): Promise<Status>
  /** The newest decisions, oldest first; 20 unless told, 1000 at most. */
  decisions(last?: number): Promise<readonly Decision[]>
  /** Why the fleet has its size right now; null before the first look at the load. */
  explain(): Promise<Decision | null>
  /** Resolves with one sentence once that many workers are ready. `'auto'` lets the load decide again. */
  scale(workers: number | 'auto'): Promise<string>
  /** Resolves with one sentence once the new generation serves. SM_RELOAD_FAILED when it does not come up; the old workers stay then. */
  reload(): Promise<string>
  drain(workerId: number): Promise<string>
  /** Changes `database.budget` until the supervisor ends. */
  setBudget(connections: number): Promise<string>
  /**
   * What happened in the last minutes, line by line: the fleet as it was then (`{"kind":"start", …}`), and every event since, each as JSON. Fed to
   * the same code they give the same decisions again.
   */
  recording(): AsyncIterable<string>
  /** Everything that happens from now on, until the supervisor ends or the loop is left. */
  events(): AsyncIterable<TimedNote>
}

/**
 * Makes a client for the supervisor that listens on `socketPath` (default `.stationmaster/control.sock` in the working folder).
 * It connects anew for every call, so it can be made before the supervisor runs.
 *
 * @example
 * const control = connectControl()
 * await control.scale(4)
 * for await (const note of control.events()) if (note.kind === 'worker:exited') console.log(note)
 */
export function connectControl(socketPath: string = DEFAULT_CONTROL_SOCKET): ControlClient {
  const file = path.resolve(socketPath)
  const post = async (url: string, body: unknown): Promise<string> => ((await askSupervisor(file, 'POST', url, body)) as { message: string }).message
  return {
    path: file,
    status: async () => (await askSupervisor(file, 'GET', '/v1/status')) as Status,
    decisions: async (last = 20) => (await askSupervisor(file, 'GET', `/v1/decisions?last=${last}`)) as readonly Decision[],
    explain: async () => (await askSupervisor(file, 'GET', '/v1/explain')) as Decision | null,
    scale: async (workers) => await post('/v1/scale', { workers }),
    reload: async () => await post('/v1/reload', {}),
    drain: async (workerId) => await post(`/v1/workers/${workerId}/drain`, {}),
    setBudget: async (connections) => await post('/v1/database', { budget: connections }),
    recording: () => readLines(file, '/v1/recording'),
    async *events() {
      const stream = await openStream(file, '/v1/events')
      try {
        yield* parseEvents(stream)
      } finally {
        stream.destroy()
      }
    },
  }
}

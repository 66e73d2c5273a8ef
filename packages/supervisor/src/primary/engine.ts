import type { Command } from '../fleet/command.ts'
import type { FleetEvent } from '../fleet/event.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { Note } from '../fleet/note.ts'
import { step, wakeAtMs } from '../fleet/step.ts'

type Unstamped<Event> = Event extends unknown ? Omit<Event, 'nowMs'> : never
/** An event before the queue has stamped it with the time. */
export type NewEvent = Unstamped<FleetEvent>

export interface EngineEdges {
  nowMs(): number
  /** Carries out one command. It must not throw; its result comes back as an event. */
  execute(command: Command): void
  tell(note: Note, atMs: number): void
  /** Sees every event before it takes effect. */
  record(event: FleetEvent): void
  /** An event could not be taken to its end. The next ones are taken all the same, or nobody could stop the fleet any more. */
  failed(error: unknown, event: FleetEvent): void
}

export interface Engine {
  fleet(): Fleet
  dispatch(event: NewEvent): void
  /** Events are still answered, but the fleet is woken no more. */
  close(): void
}

/** The one queue of the primary: stamps events, feeds them to `step` one by one, and hands on what comes out. */
export function createEngine(initial: Fleet, edges: EngineEdges): Engine {
  let fleet = initial
  let busy = false
  let timer: NodeJS.Timeout | null = null
  let closed = false
  const queue: FleetEvent[] = []

  function run(): void {
    // A command may cause an event at once; it waits its turn instead of nesting.
    if (busy) return
    busy = true
    for (let event = queue.shift(); event; event = queue.shift()) {
      try {
        take(event)
      } catch (error) {
        edges.failed(error, event)
      }
    }
    busy = false
    scheduleWake()
  }

  function take(event: FleetEvent): void {
    edges.record(event)
    const result = step(fleet, event)
    fleet = result.fleet
    for (const note of result.notes) edges.tell(note, event.nowMs)
    for (const command of result.commands) edges.execute(command)
  }

  function scheduleWake(): void {
    if (timer) clearTimeout(timer)
    timer = null
    const atMs = closed ? null : wakeAtMs(fleet)
    if (atMs !== null) timer = setTimeout(() => dispatch({ kind: 'woken' }), Math.max(1, Math.ceil(atMs - edges.nowMs())))
  }

  function dispatch(event: NewEvent): void {
    queue.push({ ...event, nowMs: edges.nowMs() } as FleetEvent)
    run()
  }

  return {
    fleet: () => fleet,
    dispatch,
    close() {
      closed = true
      if (timer) clearTimeout(timer)
      timer = null
    },
  }
}

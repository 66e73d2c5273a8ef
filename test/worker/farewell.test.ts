import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { planDrain } from '../../packages/supervisor/src/worker/drain-plan.ts'
import { EngineSockets, type SocketIOServer } from '../../packages/supervisor/src/worker/engine-sockets.ts'
import { Farewell } from '../../packages/supervisor/src/worker/farewell.ts'
import { Traffic } from '../../packages/supervisor/src/worker/traffic.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A worker with one Socket.IO client, which leaves as soon as it is told to. */
function sayFarewell(transport: string, patient: boolean): { isOver: boolean } {
  const clients: Record<string, object> = { client: { transport: { name: transport, writable: true }, close: () => delete clients['client'] } }
  const engines = new EngineSockets()
  engines.add({ engine: { clients }, adapter: () => {} } as unknown as SocketIOServer)
  const plan = planDrain(performance.now(), 30_000, { patient, hasCleanUp: false })
  const state = { isOver: false }
  void new Farewell(new Traffic(), engines, () => plan).run().then(() => (state.isOver = true))
  return state
}

describe('a worker whose last Socket.IO client has left', () => {
  it('stays for what a polling client sent before it heard of the end, while others serve on', async () => {
    const farewell = sayFarewell('polling', true)
    await vi.advanceTimersByTimeAsync(1900)
    expect(farewell.isOver).toBe(false)
    await vi.advanceTimersByTimeAsync(300)
    expect(farewell.isOver).toBe(true)
  })

  it('goes at once when the fleet stops, or when nothing can come after the end', async () => {
    const farewells = [sayFarewell('polling', false), sayFarewell('websocket', true)]
    await vi.advanceTimersByTimeAsync(300)
    expect(farewells).toEqual([{ isOver: true }, { isOver: true }])
  })
})

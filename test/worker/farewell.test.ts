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

describe('a connection that is on its way to another worker', () => {
  /** A quiet connection of a worker that leaves, and what was done to its socket. */
  function sayFarewellTo({ isMoving }: { readonly isMoving: boolean }): { readonly done: string[] } {
    const done: string[] = []
    const act = (what: string) => () => void done.push(what)
    const server = { closeIdleConnections: () => {} }
    const socket = { server, parser: {}, bytesRead: 0, on: () => {}, destroySoon: act('ended'), destroy: act('closed') }
    const traffic = new Traffic()
    traffic.adopt(socket as unknown as Parameters<Traffic['adopt']>[0])
    for (const connection of traffic.connections) connection.isMoving = isMoving
    const plan = planDrain(performance.now(), 30_000, { patient: false, hasCleanUp: false })
    void new Farewell(traffic, new EngineSockets(), () => plan).run()
    return { done }
  }

  it('is let be: to end it would end it there too', async () => {
    const still = sayFarewellTo({ isMoving: false })
    const moving = sayFarewellTo({ isMoving: true })
    await vi.advanceTimersByTimeAsync(10_000)
    expect([still.done[0], moving.done]).toEqual(['ended', []])
    // Our own copy goes at the end; that is nothing to the other.
    await vi.advanceTimersByTimeAsync(30_000)
    expect(new Set(moving.done)).toEqual(new Set(['closed']))
  })
})

import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { Pollers, startPolling } from './harness/pollers.ts'

/** As many as two cores feed without waiting for themselves; each asks all the time, so a session meets every moment of a change. */
const CLIENTS = 120

describe('long polling while the fleet changes', () => {
  it('knows every session while workers come and go, but a killed worker’s own', async ({ stage }) => {
    const { station, lines } = await startPolling(stage, 2, 6)
    const pollers = new Pollers(station.port, CLIENTS)
    const unknown = async (): Promise<string[]> => (await lines()).filter((line) => / error /.test(line))
    try {
      await pollers.answers(3)
      for (const workers of [6, 2]) {
        await station.control.scale(workers)
        await station.running(workers)
        await pollers.answers(3)
        expect([workers, await unknown()]).toEqual([workers, []])
      }
      const [victim, other] = await station.running(2)
      process.kill(victim?.pid as number, 'SIGKILL')
      await station.until('its replacement', ({ workers, fleet }) => fleet.ready === 2 && workers.every(({ id }) => id !== victim?.id))
      await pollers.answers(3)
      // Each says whose session it was: 1 is "Session ID unknown", and an id begins with its owner. A poll that went through the killed one is cut, and
      // engine.io ends the session of a poll that is cut, so what such a client says meanwhile is unknown as well.
      const owners = (await unknown()).map((line) => line.replace(/^\d+ error (\d+) \d+ (\w+)-.*$/, '$1 $2'))
      const there = [victim, other].map((worker) => `1 ${worker?.id.toString(36)}`)
      expect(owners).toContain(there[0])
      expect(owners.filter((owner) => !there.includes(owner))).toEqual([])
      expect(pollers.workers).toContain(String(other?.id))
    } finally {
      await pollers.stop()
    }
  })
})

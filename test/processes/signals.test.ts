import { once } from 'node:events'
import { access } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { it } from './harness.ts'
import type { Station } from './harness/station.ts'
import { until } from './harness/until.ts'

/** Starts a supervisor in a terminal of its own, as somebody at a keyboard does. The process of the station is then the terminal. */
const inTerminal = (command: readonly string[]): readonly string[] => {
  const line = command.map((word) => `'${word}'`).join(' ')
  return ['script', '--quiet', '--flush', '--command', `exec ${line}`, '/dev/null']
}

const supervisorOf = async (station: Station): Promise<number> => (await station.until('its pid', ({ pid }) => ({ pid }))).pid

describe('SIGUSR1', () => {
  it('opens no inspector in the supervisor', async ({ stage }) => {
    const station = await stage.start({ app: 'plain' })
    station.signal('SIGUSR1')
    // By then the inspector would long have said where it listens.
    station.signal('SIGUSR2')
    await station.noted('reload:done')
    expect(station.stderr).not.toContain('Debugger listening')
  })
})

describe('SIGUSR2', () => {
  it('reloads, as daemons do', async ({ stage }) => {
    const station = await stage.start({ app: 'plain' })
    station.signal('SIGUSR2')
    await station.noted('reload:done')
    expect((await station.running(2)).map(({ generation }) => generation)).toEqual([2, 2])
  })
})

describe('a terminal', () => {
  it('that is closed stops the fleet, and requests are answered before it ends', async ({ stage }) => {
    const station = await stage.start({ app: 'slow-handler', env: { SLOW_MS: '700' }, through: inTerminal })
    const slow = station.get('/slow')
    await station.until('the request in a worker', ({ workers }) => workers.some(({ queue }) => queue === 1))
    station.signal('SIGKILL')
    expect(Number(await slow)).toBeGreaterThan(0)
    await until('the end of all processes', async () => (await stage.alive()).length === 0)
    await expect(access(station.socket)).rejects.toThrow('ENOENT')
  })

  it('that is still there makes SIGHUP a reload', async ({ stage }) => {
    const station = await stage.start({ app: 'plain', through: inTerminal })
    const pid = await supervisorOf(station)
    process.kill(pid, 'SIGHUP')
    await station.until('the second generation', ({ workers }) => workers.length === 2 && workers.every(({ generation }) => generation === 2))
    process.kill(pid, 'SIGTERM')
    await once(station.process, 'close')
  })
})

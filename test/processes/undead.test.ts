import { once } from 'node:events'
import { pathToFileURL } from 'node:url'
import { describe, expect } from 'vitest'
import { it } from './harness.ts'
import { type StationOptions, fixture } from './harness/station.ts'
import { within } from './harness/until.ts'

const withIneffectiveKills = (kills: number): StationOptions => ({
  app: 'plain',
  config: { drain: { timeout: '300ms' } },
  env: { NODE_OPTIONS: `--import=${pathToFileURL(fixture('ineffective-kills')).href}`, INEFFECTIVE_KILLS: String(kills) },
})

describe('a worker that does not end though it is killed', () => {
  it('is killed again', async ({ stage }) => {
    const station = await stage.start(withIneffectiveKills(1))
    const [stopped] = await station.running(2)
    process.kill(stopped?.pid as number, 'SIGSTOP')
    station.signal('SIGTERM')
    expect(await station.ends()).toEqual({ code: 0, signal: null })
    expect(station.notes('worker:exited').map(({ workerId }) => workerId)).toContain(stopped?.id)
  })

  it('holds up a stop for a bounded time; then the supervisor ends with 1 and says which process it leaves', async ({ stage }) => {
    const station = await stage.start(withIneffectiveKills(1000))
    const [held] = await station.running(2)
    process.kill(held?.pid as number, 'SIGSTOP')
    const exited = once(station.process, 'exit')
    station.signal('SIGTERM')
    const last = await station.noted('fleet:stopped')
    expect(last).toMatchObject({ level: 'error', code: 1 })
    expect(last.msg).toContain(`Worker ${held?.id} (pid ${held?.pid}) was killed 5 s ago and is still there`)
    expect(await within('the end of the supervisor', exited)).toEqual([1, null])
    // Once it runs again, it finds that its supervisor is gone.
    process.kill(held?.pid as number, 'SIGCONT')
    await station.ends()
    expect(await stage.alive()).toEqual([])
  })
})

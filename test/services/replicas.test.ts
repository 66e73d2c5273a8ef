import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import type { Station } from '../processes/harness/station.ts'
import { until } from '../processes/harness/until.ts'
import { BOUND_MS, FLOOR, replicasUnderTest } from './replicas.ts'

const replicas = replicasUnderTest()

describe('three replicas share a budget and never exceed it', () => {
  it('when one is frozen for three leases and thawed, one is killed, and one comes in its place', async ({ stage }) => {
    const [frozen, killed, other] = (await replicas.three(stage)) as [Station, Station, Station]
    // The frozen one can be asked nothing and the killed one has nothing: this is about who is there.
    const floors = replicas.watchFloors([other])
    // A platform that freezes a container stops all that is in it.
    const inContainer = (await frozen.running(1)).map(({ pid }) => pid as number)
    const all = (signal: NodeJS.Signals): void => {
      for (const pid of [frozen.pid, ...inContainer]) process.kill(pid, signal)
    }
    all('SIGSTOP')
    for (const fleet of [killed, other]) await fleet.until('two left', ({ replica }) => replica.peers === 2, BOUND_MS)
    const from = (await replicas.document()).version
    // Three leases, by the beats of those who live.
    await until('three leases', async () => (await replicas.document()).version - from >= 2 * 18, { boundMs: BOUND_MS * 2 })
    all('SIGCONT')
    await replicas.meet([frozen, killed, other])
    killed.signal('SIGKILL')
    const [successor] = (await replicas.deploy(stage, 1)) as [Station]
    const left = [frozen, other, successor]
    await replicas.meet(left)
    await replicas.fullyUsed(left)
    await replicas.emptyQuarantine(left)
    await floors.expectKept()
    replicas.expectKept()
  }, 180_000)

  it('while a new deployment is beside the old one for twenty seconds, which then leaves', async ({ stage }) => {
    const before = await replicas.three(stage, 6)
    const ofOld = replicas.watchFloors(before)
    const after = await replicas.deploy(stage, 3, 6)
    const both = [...before, ...after]
    await replicas.meet(both)
    await replicas.fullyUsed(both, 6)
    const ofNew = replicas.watchFloors(after)
    const from = (await replicas.document()).version
    // Each writes once a second.
    await until('twenty seconds', async () => (await replicas.document()).version - from >= both.length * 20, { boundMs: BOUND_MS * 2 })
    await replicas.fullyUsed(both, 6)
    await ofOld.expectKept()
    for (const fleet of before) fleet.signal('SIGTERM')
    for (const fleet of before) expect(await fleet.ends()).toMatchObject({ code: 0 })
    await replicas.meet(after)
    await replicas.fullyUsed(after, 6)
    await replicas.emptyQuarantine(after)
    await ofNew.expectKept()
    replicas.expectKept(6)
  }, 240_000)

  it('when there are more of them than they were told of, which is said, and each comes to its floor', async ({ stage }) => {
    await replicas.begin(2)
    const fleets = await replicas.deploy(stage, 2, 1)
    await replicas.meet(fleets)
    const warned = (): boolean => fleets.some(({ stdout }) => stdout.includes('2 replicas share the database budget, and database.replicas says 1'))
    await until('the warning', warned)
    for (const fleet of fleets) await fleet.until('its floor', ({ database }) => (database?.granted ?? 0) >= FLOOR, BOUND_MS)
    replicas.expectKept(2)
  }, 180_000)
})

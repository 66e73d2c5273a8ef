import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { until } from '../processes/harness/until.ts'
import type { Fault } from './faulty-relay.ts'
import { inRedis, startFailingRedis } from './redis.ts'
import { BOUND_MS, FLOOR, replicasUnderTest } from './replicas.ts'

const replicas = replicasUnderTest()
/** Ends what is in the way, and answers with the version that the document has then. */
async function mend(): Promise<number> {
  const { version } = await replicas.document()
  replicas.relay.fail('none')
  return version
}

describe('replicas keep their budget and their floors, and have all of it again within two leases', () => {
  it('when Redis stalls, loses replies, is cut off or slow', async ({ stage }) => {
    const fleets = await replicas.three(stage)
    const floors = replicas.watchFloors(fleets)
    const faults: Fault[] = ['stall', 'lose-replies', 'cut']
    for (const fault of faults) {
      replicas.relay.fail(fault)
      await replicas.lost(fleets)
      expect(replicas.relay.hits).toBeGreaterThan(0)
      const onFloor = async (): Promise<boolean> =>
        (await Promise.all(fleets.map((fleet) => fleet.status()))).every((seen) => seen?.database?.granted === FLOOR)
      await until('nothing lent any more', onFloor, { boundMs: BOUND_MS })
      await replicas.recovered(fleets, await mend())
    }
    replicas.relay.fail('delay')
    await until('calls that were delayed', () => replicas.relay.hits > 20)
    await replicas.recovered(fleets, await mend())
    await replicas.emptyQuarantine(fleets)
    await floors.expectKept()
    replicas.expectKept()
  }, 240_000)

  it('when one reply is lost, whichever', async ({ stage }) => {
    const fleets = await replicas.three(stage)
    const floors = replicas.watchFloors(fleets)
    for (let which = 1; which <= 6; which++) {
      replicas.relay.loseReply(which)
      await until('a lost reply', () => replicas.relay.hits === 1)
      const { members, version } = await replicas.document()
      const haveAllSpoken = async (): Promise<boolean> => {
        const now = (await replicas.document()).members
        return Object.entries(members).every(([id, { sequence }]) => (now[id]?.sequence ?? 0) > sequence)
      }
      await until('a word of each', haveAllSpoken, { boundMs: BOUND_MS })
      await replicas.recovered(fleets, version)
    }
    await replicas.emptyQuarantine(fleets)
    await floors.expectKept()
    replicas.expectKept()
  }, 240_000)

  it('when Redis forgets, has an old copy again, restarts empty, or is another one with an old copy', async ({ stage }) => {
    const fleets = await replicas.three(stage)
    const floors = replicas.watchFloors(fleets)
    const old = (await replicas.text()) as string
    const epochs = [epochOf(old)]
    /** What was is not believed, and after the calm all is shared out again. */
    const beginsAnew = async (): Promise<void> => {
      await until('a new beginning', async () => ![undefined, ...epochs].includes(epochOf(await replicas.text())), { boundMs: BOUND_MS })
      epochs.push(epochOf(await replicas.text()))
      await replicas.recovered(fleets, (await replicas.document()).version, replicas.calmMs)
    }
    for (let flush = 0; flush < 5; flush++) {
      await inRedis(replicas.redis.port, async (client) => [await client.flushall(), await client.script('FLUSH')])
      await until('a document', async () => (await replicas.text()) !== null)
    }
    await beginsAnew()
    await inRedis(replicas.redis.port, async (client) => await client.set(replicas.key, old))
    await beginsAnew()
    await replicas.redis.restart()
    await beginsAnew()
    const copy = await startFailingRedis()
    await inRedis(copy.port, async (client) => await client.set(replicas.key, old))
    replicas.relay.leadTo(copy.port)
    await replicas.redis.stop()
    replicas.redis = copy
    await beginsAnew()
    await replicas.emptyQuarantine(fleets)
    await floors.expectKept()
    replicas.expectKept()
  }, 240_000)

  it('when it is not there as they start: each has its floor, and no more', async ({ stage }) => {
    await replicas.begin()
    replicas.relay.fail('cut')
    const fleets = await replicas.deploy(stage, 3)
    await replicas.lost(fleets)
    for (const fleet of fleets) await fleet.until('its floor', ({ database }) => database?.granted === FLOOR, BOUND_MS)
    await until('the floors in use', () => replicas.judge.now === 3 * FLOOR + 3)
    expect(replicas.judge.most).toBeLessThanOrEqual(3 * FLOOR + 3)
    replicas.relay.fail('none')
    await replicas.meet(fleets)
    await replicas.fullyUsed(fleets)
    await replicas.emptyQuarantine(fleets)
    replicas.expectKept()
  }, 180_000)
})

const epochOf = (text: string | null): string | undefined => (JSON.parse(text ?? '{}') as { epoch?: string }).epoch

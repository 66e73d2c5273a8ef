import { describe, expect, it } from 'vitest'
import { planBudget } from '../../packages/supervisor/src/policy/budget-plan.ts'
import { viewOf } from '../../packages/supervisor/src/fleet/view.ts'
import type { BackendsSeen } from '../../packages/supervisor/src/fleet/event.ts'
import { Driver, fleetSettings, reportOf, running } from './driver.ts'

/** Sixteen connections for workers, two of which each needs. */
const PLAN = planBudget({ budget: 19, reserve: 3, minPerWorker: 2, replicas: 1, minWorkers: 2 })
const open = (size = 2): Driver => confirmAll(running(size, { database: PLAN }))

/** Every worker confirms what it was last told, and needs nothing. */
function confirmAll(driver: Driver): Driver {
  for (const { id, lease } of driver.fleet.workers) use(driver, id, { holds: lease.granted })
  return driver
}

function use(driver: Driver, workerId: number, fields: { holds?: number; inUse?: number; waiting?: number; external?: number } = {}): Driver {
  const lease = driver.fleet.workers.find(({ id }) => id === workerId)?.lease
  const { sequence = 0, held = 0 } = lease ?? {}
  return driver.send({ kind: 'leaseUsed', workerId, sequence, holds: held, inUse: 0, waiting: 0, external: 0, ...fields })
}

type Seen = Partial<Omit<BackendsSeen, 'kind'>>
const seen = (driver: Driver, fields: Seen = {}): Driver =>
  driver.send({ kind: 'backendsSeen', askedAtMs: driver.nowMs, backends: [], starting: 0, foreign: 0, goneWithinMs: null, ...fields })

const granted = (driver: Driver): number[] => driver.fleet.workers.map(({ lease }) => lease.granted)

describe('a budget', () => {
  it('is planned with the reserve taken off, the own connection among it, and room for a successor', () => {
    expect(PLAN).toMatchObject({ budget: 19, share: 16, available: 16, floor: 2 })
    expect(planBudget({ budget: 20, reserve: 0, minPerWorker: 2, replicas: 1, minWorkers: 1 })).toMatchObject({ share: 20, available: 19 })
    expect(planBudget({ budget: 100, reserve: 4, minPerWorker: 2, replicas: 3, minWorkers: 1 })).toMatchObject({ share: 32, available: 32 })
    expect(planBudget({ budget: 5, reserve: 3, minPerWorker: 2, replicas: 1, minWorkers: 1 })).toMatchObject({ available: 2, floor: 1 })
  })

  it('goes to the workers in equal parts, and moves to who needs it once the other has confirmed', () => {
    const driver = open()
    expect(granted(driver)).toEqual([7, 7])
    use(driver, 1, { inUse: 7, waiting: 30 })
    expect(granted(driver)).toEqual([9, 2])
    use(driver, 2, { holds: 5 })
    expect(granted(driver)).toEqual([11, 2])
    use(driver, 2, { holds: 2 })
    expect(granted(driver)).toEqual([14, 2])
  })

  it('is repeated to a worker that has not confirmed, and to one that says hello', () => {
    const driver = running(1, { database: PLAN })
    const before = driver.commandsOf('lease').length
    driver.tick()
    expect(driver.commandsOf('lease').slice(before)).toEqual([{ kind: 'lease', workerId: 1, sequence: 1, granted: 14, untilMs: null }])
    confirmAll(driver).tick()
    expect(driver.commandsOf('lease')).toHaveLength(before + 1)
    driver.send({ kind: 'hello', workerId: 1 })
    expect(driver.commandsOf('lease')).toHaveLength(before + 2)
  })

  it('keeps what a dead worker held until the server shows it gone, piece by piece', () => {
    const driver = open()
    driver.exit(1, { code: null, signal: 'SIGKILL' })
    expect(driver.commandsOf('askBackends')).toEqual([{ kind: 'askBackends', workerIds: [1] }])
    driver.send({ kind: 'woken' }, 1000)
    expect(driver.fleet.workers.map(({ lease }) => lease.held)).toEqual([7, 2])
    seen(driver, { askedAtMs: driver.nowMs - 900 })
    expect(viewOf(driver.fleet, driver.nowMs).database).toMatchObject({ quarantined: 7 })
    seen(driver, { backends: [{ workerId: 1, connections: 3 }] })
    expect(viewOf(driver.fleet, driver.nowMs).database).toMatchObject({ budget: 19, share: 16, granted: 11, quarantined: 3 })
    seen(driver, { starting: 1 })
    expect(driver.fleet.quarantine).toMatchObject([{ connections: 1 }])
    seen(driver)
    expect(driver.fleet.quarantine).toEqual([])
    expect(driver.commandsOf('askBackends')).toHaveLength(4)
  })

  it('leaves nothing in quarantine of a worker that was never granted anything', () => {
    const driver = open()
    driver.exit(1, { code: 1 }).send({ kind: 'woken' }, 1000)
    const successor = driver.ids('booting')[0] as number
    driver.send({ kind: 'forkFailed', workerId: successor, message: 'EAGAIN' })
    expect(driver.fleet.quarantine.map(({ workerId }) => workerId)).toEqual([1])
  })

  it('admits no worker without its floor, and says so', () => {
    const driver = open()
    driver.send({ kind: 'scaleRequested', requestId: 1, workers: 8 })
    expect(driver.commandsOf('answer').at(-1)?.error?.message).toBe(
      'Cannot scale to 8: 16 connections feed 7 workers with 2 each, and a successor in a reload (database.budget).',
    )
  })

  it('holds a decision back where connections are lacking', () => {
    const plan = planBudget({ budget: 9, reserve: 3, minPerWorker: 2, replicas: 1, minWorkers: 1 })
    const driver = confirmAll(running(2, { database: plan, workers: { min: 2 } }))
    for (let tick = 0; tick < 40; tick++) driver.tick({ report: reportOf({ queue: 900, eventLoopUtilization: 0.9 }) })
    expect(driver.fleet.target).toBe(2)
    expect(driver.fleet.standing?.heldBackBy[0]).toBe('database.budget: 6 connections feed 2 workers with 2 each, and a successor in a reload')
  })

  it('replaces a worker that died with everything at once; its connections come as the server lets go of them', () => {
    const driver = confirmAll(running(1, { database: PLAN }))
    use(driver, 1, { inUse: 14, waiting: 9 })
    expect(granted(driver)).toEqual([16])
    driver.exit(1, { code: null, signal: 'SIGKILL' }).send({ kind: 'woken' }, 2000)
    expect(driver.workers('booting').map(({ lease }) => lease.granted)).toEqual([0])
    seen(driver, { backends: [{ workerId: 1, connections: 13 }] })
    expect(driver.workers('booting').map(({ lease }) => lease.granted)).toEqual([2])
  })

  it('lets go of what nobody can be asked about once the settings of the server leave none, and says so', () => {
    const driver = open()
    seen(driver, { goneWithinMs: 10_000 })
    driver.exit(1, { code: null, signal: 'SIGKILL' })
    driver.tick({}, 4000)
    seen(driver, { goneWithinMs: 10_000, backends: [{ workerId: 1, connections: 3 }] })
    driver.tick({}, 10_000)
    expect(driver.fleet.quarantine).toMatchObject([{ workerId: 1, connections: 3 }])
    driver.tick({}, 1)
    expect(driver.fleet.quarantine).toEqual([])
    expect(driver.notesOf('fleet:warning').map(({ message }) => message)).toEqual([
      'The database could not be asked for 10 s which of 3 connections of worker 1, which is gone, are still open; by its own settings none can be.',
    ])
  })

  it('keeps them for as long as it takes where the settings set no bound', () => {
    const driver = open()
    seen(driver)
    driver.exit(1, { code: null, signal: 'SIGKILL' }).tick({}, 1e9)
    expect(driver.fleet.quarantine).toMatchObject([{ workerId: 1, connections: 7 }])
  })

  it('leaves room for connections of others beyond those that are kept free for them, and tells of them once', () => {
    const driver = open()
    seen(driver, { foreign: 2 })
    expect(granted(driver)).toEqual([7, 7])
    use(driver, 1, { inUse: 7, waiting: 30 }).tick({}, 10_000)
    expect(driver.commandsOf('askBackends')).toHaveLength(1)
    seen(driver, { foreign: 6 })
    expect(driver.notesOf('fleet:warning').map(({ message }) => message)).toEqual([
      "6 connections of the app's database role are neither of workers nor of another fleet, 4 more than database.reserve keeps free: the workers get 4 fewer until they are gone.",
    ])
    confirmAll(driver)
    use(driver, 1, { inUse: 7, waiting: 30 })
    use(driver, 2, { holds: 2 })
    expect(granted(driver)).toEqual([10, 2])
    seen(driver, { foreign: 99 })
    confirmAll(driver)
    expect(granted(driver)).toEqual([0, 0])
    seen(driver, { foreign: 2 })
    expect(granted(driver)).toEqual([7, 7])
    expect(driver.notesOf('fleet:warning')).toHaveLength(1)
  })

  it('does not take the connections of a pool of another make for those of others', () => {
    const driver = open()
    use(driver, 1, { inUse: 5, external: 5 })
    seen(driver, { foreign: 7 })
    expect(granted(driver).reduce((a, b) => a + b)).toBe(14)
    expect(viewOf(driver.fleet, driver.nowMs).database).toMatchObject({ foreign: 2 })
  })

  it('looks who else is there only while connections are needed', () => {
    const driver = confirmAll(running(1, { database: PLAN })).tick()
    expect(driver.commandsOf('askBackends')).toEqual([{ kind: 'askBackends', workerIds: [] }])
    seen(driver).tick({}, 60_000)
    expect(driver.commandsOf('askBackends')).toHaveLength(1)
    use(driver, 1, { inUse: 1 }).tick()
    expect(driver.commandsOf('askBackends')).toHaveLength(2)
  })

  it('tells why each has what it has', () => {
    const driver = open()
    use(driver, 1, { inUse: 7, waiting: 30 })
    expect(viewOf(driver.fleet, driver.nowMs).database?.why).toEqual([
      '16 connections for workers; 0 free; no worker has less than 2 unless they are reserved',
      'worker 1 may open 9 and needs 37 (7 in use, 30 waiting), gets 5 more as soon as they are proven free',
      'worker 2 may open 2 and needs 0 (0 in use, 0 waiting), has to give back 5',
    ])
    driver.exit(2, { code: null, signal: 'SIGKILL' })
    seen(driver, { foreign: 4 })
    expect(viewOf(driver.fleet, driver.nowMs).database?.why).toMatchObject([
      '14 connections for workers, 2 fewer because of 4 foreign ones, 7 reserved until the server has closed those of workers that are gone; 0 free; no worker has less than 2 unless they are reserved',
      'worker 1 may open 7 and needs 37 (7 in use, 30 waiting), has to give back 2, this is its fair part',
    ])
  })

  it('can be lowered: nobody grows before the rest was given back', () => {
    const driver = open()
    driver.send({ kind: 'budgetRequested', requestId: 1, budget: 11 })
    expect(driver.commandsOf('answer').at(-1)).toMatchObject({
      error: null,
      detail: 'the budget is 11 connections now, of which the workers of this replica share 8',
    })
    driver.send({ kind: 'budgetRequested', requestId: 2, budget: 6 })
    expect(driver.commandsOf('answer').at(-1)?.error?.message).toBe('A budget of 6 is not allowed; expected a whole number of at least 7.')
    const without = running(1).send({ kind: 'budgetRequested', requestId: 1, budget: 11 })
    expect(without.commandsOf('answer').at(-1)?.error?.message).toContain('There is no budget to change')
    expect(granted(driver)).toEqual([3, 3])
    use(driver, 1, { holds: 6, inUse: 6, waiting: 9 })
    expect(granted(driver)).toEqual([6, 2])
    expect(viewOf(driver.fleet, driver.nowMs).database).toMatchObject({ budget: 11, share: 8, granted: 8, inUse: 6, waiting: 9 })
  })
})

it('a cut of the budget leaves no more workers than its connections feed, set by hand or not, and says so', () => {
  const driver = open().send({ kind: 'scaleRequested', requestId: 1, workers: 5 }).bootAll()
  driver.send({ kind: 'budgetRequested', requestId: 2, budget: 9 })
  expect(driver.fleet.target).toBe(2)
  expect(driver.commandsOf('answer').at(-1)?.detail).toContain('which feed 2 of the 5 workers that were wanted')
  expect(driver.notesOf('fleet:scaled').at(-1)).toMatchObject({ from: 5, to: 2 })
  expect(driver.tick().fleet.spareTarget).toBe(0)
})

it('spares are kept where what others lend feeds them, and not only what the replica has for ever', () => {
  const shared = planBudget({ budget: 43, reserve: 3, minPerWorker: 2, replicas: 2, isShared: true, minWorkers: 1 })
  const driver = new Driver(fleetSettings({ workers: { min: 1, spares: 1 }, database: shared }))
  driver.send({ kind: 'started' }).send({ kind: 'loanHeard', granted: 20, untilMs: 600_000 }).bootAll().tick().bootAll()
  const surging = { cpu: 1, report: reportOf({ eventLoopUtilization: 1, queue: 90 }) }
  for (let tick = 0; tick < 5 && driver.fleet.target === 1; tick++) driver.tick(surging)
  expect(driver.commandsOf('promote')).toHaveLength(1)
  driver.bootAll().tick().tick()
  expect(driver.commandsOf('drain')).toEqual([])
  expect(driver.ids('spare')).toHaveLength(1)
  // What was lent is gone: what is left feeds the two that serve.
  driver.send({ kind: 'loanEnded' }).tick()
  expect(driver.commandsOf('drain')).toHaveLength(1)
})

it('a new loan does not bring back what was said under one that ended: others may have it by now', () => {
  const shared = planBudget({ budget: 43, reserve: 3, minPerWorker: 2, replicas: 2, isShared: true, minWorkers: 2 })
  const driver = new Driver(fleetSettings({ workers: { min: 2, spares: 0 }, database: shared }))
  const lend = (lent: number, untilMs: number): Driver => driver.send({ kind: 'loanHeard', granted: lent, untilMs })
  const ends = (): (number | null)[] =>
    driver
      .tick()
      .commandsOf('lease')
      .slice(-2)
      .map(({ untilMs }) => untilMs)
  driver.send({ kind: 'started' })
  confirmAll(lend(10, 6000).bootAll())
  for (const { id } of driver.fleet.workers) use(driver, id, { inUse: 7, waiting: 9 })
  expect(driver.fleet.workers.reduce((sum, { lease }) => sum + lease.held, 0)).toBeGreaterThan(shared.available + 2)
  expect(ends()).toEqual([6000, 6000])
  // Others lend less, which is heard in time: what was said goes on until it is given back.
  lend(8, 7000)
  expect(ends()).toEqual([7000, 7000])
  // The primary stood still beyond the end of the loan; nobody has confirmed anything since.
  driver.send({ kind: 'loanEnded' })
  lend(2, 30_000)
  expect(ends()).toEqual([0, 0])
  confirmAll(confirmAll(driver))
  expect(driver.fleet.workers.reduce((sum, { lease }) => sum + lease.held, 0)).toBeLessThanOrEqual(shared.available + 2)
  expect(ends()).not.toContain(0)
})

it('workers that have no connection left because others need them leave after a while, and a short absence of Redis is waited out', () => {
  const shared = planBudget({ budget: 43, reserve: 3, minPerWorker: 2, replicas: 2, isShared: true, minWorkers: 1 })
  const driver = new Driver(fleetSettings({ workers: { min: 1, spares: 0 }, database: shared }))
  driver.send({ kind: 'started' }).send({ kind: 'loanHeard', granted: 12, untilMs: 6000 })
  driver.bootAll().send({ kind: 'scaleRequested', requestId: 1, workers: 6 }).bootAll()
  const live = (ticks: number): number => {
    for (let tick = 0; tick < ticks; tick++) driver.tick()
    return driver.fleet.target
  }
  driver.send({ kind: 'loanEnded' })
  expect(live(29)).toBe(6)
  driver.send({ kind: 'loanHeard', granted: 12, untilMs: 60_000 })
  expect(live(29)).toBe(6)
  driver.send({ kind: 'loanEnded' })
  expect(live(29)).toBe(6)
  expect(live(2)).toBe(shared.available)
  expect(driver.fleet.decisions.at(-1)).toMatchObject({
    lane: 'bounds',
    reason: 'database.budget: there are 4 connections, and each worker needs one',
  })
})

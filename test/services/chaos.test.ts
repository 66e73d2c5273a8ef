import fc from 'fast-check'
import { afterAll, beforeAll, expect } from 'vitest'
import { type Stage, it } from '../processes/harness.ts'
import type { Station } from '../processes/harness/station.ts'
import { busy, expectBudgetKept, MOST, nineTenthsInUse } from './busy.ts'
import { type Judge, openJudge } from './judge.ts'

let judge: Judge
beforeAll(async () => {
  judge = await openJudge()
})
afterAll(async () => {
  await judge?.close()
})

const MINUTE_MS = 60_000
/** Gives the order of what happens; another one tries another. */
const SEED = Number(process.env['CHAOS_SEED'] ?? 1)

/** Whoever has died or hangs is replaced, and its connections come back. */
async function lose(fleet: Station, chance: number, signal: NodeJS.Signals): Promise<void> {
  const workers = (await fleet.status())?.workers.filter(({ state }) => state === 'ready') ?? []
  const victim = workers[chance % Math.max(1, workers.length)]
  if (victim?.pid) process.kill(victim.pid, signal)
  await fleet.until('another worker', (status) => status.fleet.ready === status.fleet.target && status.workers.every(({ id }) => id !== victim?.id))
}

const deeds: Record<string, (fleet: Station, chance: number) => Promise<unknown>> = {
  kill: (fleet, chance) => lose(fleet, chance, 'SIGKILL'),
  stop: (fleet, chance) => lose(fleet, chance, 'SIGSTOP'),
  reload: (fleet) => fleet.control.reload(),
  'scale to 6': (fleet) => fleet.control.scale(6),
  'scale to 2': (fleet) => fleet.control.scale(2),
  'a smaller budget': (fleet) => fleet.control.setBudget(16),
  'the whole budget': (fleet) => fleet.control.setBudget(20),
  // As after a failure of the network: whoever uses the connection fails, whoever has it idle hears of it.
  'end connections': async (_, chance) =>
    await judge.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app' order by pid offset $1 limit 3", [chance % 10]),
}

async function run(stage: Stage): Promise<string[]> {
  const fleet = await stage.start(busy(judge, { health: { stuckAfter: '1s' }, restart: { backoff: '10ms', backoffMax: '50ms', intensity: 1000 } }), 2)
  const chances = fc.sample(fc.tuple(fc.constantFrom(...Object.keys(deeds)), fc.nat(1000)), { seed: SEED, numRuns: 1000 })
  const done: string[] = []
  const endAtMs = performance.now() + MINUTE_MS
  for (const [name, chance] of chances) {
    if (performance.now() > endAtMs) break
    done.push(name)
    await (deeds[name] as (fleet: Station, chance: number) => Promise<unknown>)(fleet, chance)
    expect(judge.most, done.join(', ')).toBeLessThanOrEqual(MOST)
  }
  await fleet.control.setBudget(20)
  await fleet.until('an empty quarantine', ({ database }) => database?.quarantined === 0)
  await nineTenthsInUse(judge)
  fleet.signal('SIGTERM')
  expect(await fleet.ends()).toMatchObject({ code: 0 })
  return done
}

it('a minute of kills, stops, reloads, scaling, lost connections and changes of the budget breaks nothing', async ({ stage }) => {
  await judge.limit(MOST)
  judge.watch()
  const done = await run(stage)
  expect(new Set(done).size).toBeGreaterThan(4)
  expectBudgetKept(judge)
  await judge.stopWatching()
}, 240_000)

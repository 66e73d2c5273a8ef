import { expect, test } from 'vitest'
import type { FleetEvent } from '../../packages/supervisor/src/fleet/event.ts'
import type { Fleet } from '../../packages/supervisor/src/fleet/fleet.ts'
import { type Step, step } from '../../packages/supervisor/src/fleet/step.ts'
import { planBudget } from '../../packages/supervisor/src/policy/budget-plan.ts'
import { type Beat, type Cluster, type Member, beat } from '../../packages/supervisor/src/policy/share.ts'
import { ClusterCheckers, type ClusterSeen } from '../../packages/supervisor/src/simulator/cluster-checkers.ts'
import type { Helm } from '../../packages/supervisor/src/simulator/helm.ts'
import { FAULT_KINDS, type Fault, type FaultKind, type Scenario } from '../../packages/supervisor/src/simulator/scenario.ts'
import { Service } from '../../packages/supervisor/src/simulator/service.ts'
import { fleetSettings } from '../fleet/driver.ts'
import { calmScenario } from './runs.ts'

const REPLICAS = 3
const database = planBudget({ budget: 43, reserve: 3, minPerWorker: 2, replicas: REPLICAS, isShared: true, minWorkers: 1 })
const settings = fleetSettings({
  workers: { min: 1, max: 4, memoryLimitBytes: 1e12 },
  restart: { intensity: 1e6 },
  drain: { timeoutMs: 3000 },
  database,
})
const replicas = { min: REPLICAS, max: REPLICAS, bootMs: 500, follow: false }
const FAULTS_END_MS = 60_000
/** All connections are in use. */
const AT_MOST_BUSY_MS = 42_000
/** Two loans, and what a database and clocks may be late by. */
const REST_WITHIN_MS = 2 * 6000 + 6000 + 1500

/** Busy enough to want every connection; twice as busy while things go wrong, so that whoever may open more does. */
const scenario: Scenario = {
  ...calmScenario,
  load: [
    { atMs: 0, requestsPerSecond: 60 },
    { atMs: 34_000, requestsPerSecond: 600, step: true },
    { atMs: 50_000, requestsPerSecond: 300, step: true },
  ],
  request: { cpuMs: 1, waitMs: 100 },
  worker: { ...calmScenario.worker, memoryPerRequestBytes: 0, bootMs: 500 },
}

interface Found {
  readonly rules: string
  readonly restedAtMs: number | null
  readonly seen: readonly ClusterSeen[]
}

/** What the checkers of all replicas find, by the number of the invariant. */
function judged(faults: readonly Fault[], helm: Helm = {}, untilMs = 120_000): Found {
  const checkers = new ClusterCheckers({ available: database.cluster, floor: database.available })
  const broken: string[] = []
  const seen: ClusterSeen[] = []
  let restedAtMs: number | null = null
  const look = (each: ClusterSeen): void => {
    seen.push(each)
    broken.push(...checkers.after(each))
    if (each.atMs >= FAULTS_END_MS) restedAtMs ??= checkers.restedAtMs === each.atMs ? each.atMs : null
  }
  const service = new Service({ settings, scenario: { ...scenario, faults }, replicas, startsAtMs: 0, helm, see: () => {}, look })
  service.run(untilMs)
  broken.push(...checkers.atRest(seen.at(-1) as ClusterSeen))
  const rules = [...new Set(broken.flatMap((sentence) => /I\d/.exec(sentence)?.[0] ?? []))].sort().join(' ')
  return { rules, restedAtMs, seen }
}

/** One after the other, until all of them end. */
const faultsOf = (kinds: readonly FaultKind[], firstAtMs = 30_000): Fault[] =>
  kinds.map((kind, index) => ({ atMs: firstAtMs + index * 5000, kind, worker: 'any', forMs: FAULTS_END_MS - firstAtMs - index * 5000 }))

const TROUBLES = [
  'nothing',
  'redis-away',
  'redis-slow',
  'redis-flushed',
  'redis-restored',
  'paused-primary',
  'replica-crash',
  'redis-flushed, replica-crash, redis-restored, paused-primary',
  'replica-crash, redis-away',
]
const kindsOf = (trouble: string): FaultKind[] => trouble.split(', ').filter((kind): kind is FaultKind => kind in FAULT_KINDS)

test.for(TROUBLES)(
  'through %s replicas never have more than the budget, and all of it is lent again within two loans after the last fault',
  (trouble) => {
    const { rules, restedAtMs, seen } = judged(faultsOf(kindsOf(trouble)))
    expect(rules).toBe('')
    expect(restedAtMs).not.toBeNull()
    expect((restedAtMs ?? Number.NaN) - FAULTS_END_MS).toBeLessThanOrEqual(REST_WITHIN_MS)
    expect(
      seen
        .at(-1)
        ?.replicas.map(({ connections }) => connections)
        .reduce((a, b) => a + b),
    ).toBeGreaterThan(REPLICAS * database.available)
  },
)

type Core = (fleet: Fleet, event: FleetEvent) => Step

const endless: Core = (fleet, event) => {
  const after = step(fleet, event)
  return { ...after, commands: after.commands.map((command) => (command.kind === 'lease' ? { ...command, untilMs: null } : command)) }
}

/** What a beat makes of the document, changed for the member whose turn it is. */
const granting =
  (grant: (before: Cluster | null, after: Cluster, input: Beat) => number): typeof beat =>
  (known, input) => {
    const after = beat(known, input)
    const member = after.members[input.member]
    if (!member?.part) return after
    const granted = grant(known, after, input)
    return { ...after, members: { ...after.members, [input.member]: { ...member, part: { ...member.part, granted } } } }
  }

const grantedIn = (cluster: Cluster, { member }: Beat): number => (cluster.members[member] as Member).part?.granted ?? 0

/** Faults that what replicas agree on could have, when they matter, and the rules that must find them. */
const MUTANTS: readonly (readonly [fault: string, kinds: readonly FaultKind[], rules: RegExp, helm: Helm])[] = [
  [
    'lends everybody all there is',
    [],
    /I1/,
    { beat: granting((_, after, { part }) => (after.isSwept && part ? part.available - 3 * part.floor : 0)) },
  ],
  ['lets loans last for ever', ['paused-primary'], /I5/, { step: endless }],
  [
    'takes what Redis forgot for what nobody has',
    ['redis-flushed'],
    /I7/,
    {
      beat: (known, input) => {
        const after = beat(known, input)
        return after.isSwept ? after : beat({ ...after, calmUntilMs: 0, isSwept: true }, { ...input, sequence: input.sequence + 0.5 })
      },
    },
  ],
  [
    'takes one that says nothing for one that has nothing',
    ['paused-primary'],
    /I1/,
    {
      beat: (known, input) => {
        const alive = Object.entries(known?.members ?? {}).filter(([, { expiresAtMs }]) => input.nowMs < expiresAtMs - 4000)
        return beat(known && { ...known, members: Object.fromEntries(alive) }, input)
      },
    },
  ],
  [
    'gives a newcomer its floor before the dead one has let go',
    ['replica-crash'],
    /I1/,
    { beat: granting((_, after, input) => Math.max(0, grantedIn(after, input))) },
  ],
  [
    'never lends again what it took back',
    ['redis-away'],
    /I9/,
    { beat: granting((known, after, input) => (known && input.nowMs > 40_000 ? 0 : grantedIn(after, input))) },
  ],
]

test.for(MUTANTS)('one that %s is found', ([, kinds, rules, helm]) => {
  expect(judged(faultsOf(kinds, kinds.includes('paused-primary') ? undefined : AT_MOST_BUSY_MS), helm).rules).toMatch(rules)
})

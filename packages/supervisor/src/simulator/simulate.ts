import type { PolicyFunction } from '../policy/advice.ts'
import { planAlone } from '../policy/budget-plan.ts'
import { type Prices, monthlyCostUsd } from '../policy/cost.ts'
import type { Decision } from '../policy/decision.ts'
import type { FleetSettings } from '../fleet/fleet.ts'
import { createAdvisor } from '../fleet/advisor.ts'
import type { Note } from '../fleet/note.ts'
import { BrokenRules } from './broken-rules.ts'
import type { Helm, Pilot } from './helm.ts'
import { Judge } from './judge.ts'
import { Judges } from './judges.ts'
import { comeToRest, hasGivenUp } from './liveness.ts'
import type { Detail, Moment, Moments } from './moments.ts'
import { Observer, type Totals, rounded } from './observer.ts'
import type { Plan } from './plan.ts'
import type { ReplicaModel } from './scenario.ts'
import { Service } from './service.ts'
import type { Ledger } from './workplace.ts'
import type { Turn } from './turn.ts'
import { Warnings } from './warnings.ts'
import { World } from './world.ts'

export interface Summary extends Totals {
  readonly costUsd: number
  readonly costUsdPerMonth: number
  /** What it would cost more with the highest floor of the platform's schedule around the clock. */
  readonly savedUsdPerMonth: number
  readonly changes: number
  readonly restarts: number
  readonly requests: number
  readonly answered: number
  readonly cut: number
  /** Rules of the supervisor that were broken; each is a bug. */
  readonly violations: readonly string[]
  /** What the scenario promises of its outcome and what did not come true. */
  readonly unmet: readonly string[]
}

export interface Outcome {
  readonly decisions: readonly Decision[]
  readonly timeline: Moments
  readonly summary: Summary
  /** The step that broke the first rule, counted from the start; null where none was broken. */
  readonly brokenAtStep: number | null
  /** What happened around the first violation. */
  readonly transcript: readonly string[]
  /** What the supervisor would have warned of. */
  readonly warnings: readonly string[]
}

export interface RunOptions {
  /** Decides in place of the built-in policy. */
  readonly pilot?: Pilot
  /** The user's own function. */
  readonly policy?: PolicyFunction | null
  /** False where nobody looks at single moments: then a run takes the same memory whatever its length. */
  readonly keepsMoments?: boolean
  /** In place of the production core: for tests of those who judge it. */
  readonly step?: Helm['step']
}

/** What a run leaves behind besides what was observed. */
interface Rest {
  readonly ledger: Ledger
  readonly restarts: number
  readonly violations: readonly string[]
  readonly transcript: readonly string[]
  /** Nobody judges what really happened. */
  readonly brokenAtStep?: number | null
  readonly warnings: readonly string[]
}

const HOURS_PER_MONTH = 730

/** Counts what was decided. */
export class Tally {
  readonly #decisions: Decision[] = []
  #changes = 0

  see(notes: readonly Note[]): void {
    for (const note of notes) {
      if (note.kind === 'fleet:decided') this.#decisions.push(note.decision)
      if (note.kind === 'fleet:scaled') this.#changes++
    }
  }

  outcome(
    plan: Plan,
    observer: Observer,
    { ledger, restarts, violations, transcript, brokenAtStep = null, warnings }: Rest,
    prices: Prices,
  ): Outcome {
    const hours = plan.durationMs / 3_600_000
    const totals = observer.totals()
    // Of a number of replicas that varies the mean counts.
    const costUsdPerMonth = rounded(monthlyCostUsd(plan.scenario.replicas ? totals.replicaHours / hours : 1, prices))
    const numbers = {
      ...totals,
      costUsd: rounded((costUsdPerMonth * hours) / HOURS_PER_MONTH),
      costUsdPerMonth,
      savedUsdPerMonth: rounded((totals.savedReplicaHours / hours) * prices.perReplicaMonth),
      changes: this.#changes,
      restarts,
      requests: ledger.arrived,
      answered: ledger.answered,
      cut: ledger.cut,
    }
    const summary = { ...numbers, violations, unmet: unmetOf(plan, numbers) }
    return { decisions: this.#decisions, timeline: observer.timeline, summary, brokenAtStep, transcript, warnings }
  }
}

/** Runs a plan to its end in virtual time, by the production policy or by a `pilot`. The same input gives the same outcome, byte for byte. */
export function simulate(
  plan: Plan,
  settings: FleetSettings,
  prices: Prices,
  { pilot, policy = null, keepsMoments = true, step }: RunOptions = {},
): Outcome {
  if (plan.scenario.replicas) return simulateReplicas(plan, plan.scenario.replicas, settings, prices, { policy, keepsMoments, step })
  // Nobody is there to lend it anything.
  const alone = { ...settings, database: planAlone(settings.database) }
  const observer = new Observer(plan, keepsMoments)
  const tally = new Tally()
  const judge = new Judge(alone)
  const broken = new BrokenRules()
  let ledger: Ledger = { arrived: 0, answered: 0, cut: 0, waiting: 0 }
  let isOver = false
  const warnings = new Warnings()
  const advise = createAdvisor({ policy, fleet: () => world.fleet, warn: (sentence) => warnings.add(sentence) })
  const world: World = new World(
    alone,
    plan.scenario,
    plan.startsAtMs,
    (turn) => {
      broken.see(turn)
      if (broken.isLooking) broken.add(...judge.after(turn))
      if (isOver) return
      ledger = turn.ledger
      observer.see(turn)
      tally.see(turn.notes)
      warnings.hear(turn.notes, 'the supervisor', turn.atMs)
    },
    { pilot, advise, ...(step ? { step } : {}) },
  )
  const { min, max } = settings.workers
  if (plan.firstTarget !== null) world.fleet = { ...world.fleet, target: Math.min(max, Math.max(min, plan.firstTarget)) }
  world.run(plan.durationMs)
  isOver = true
  const rest = { ledger, restarts: world.fleet.restarts, warnings: warnings.told() }
  if (broken.isClean && !world.ended) {
    const unhealed = (): readonly string[] => (broken.isClean && !hasGivenUp(world.fleet) ? judge.atRest(world) : [])
    broken.add(...comeToRest(world, unhealed, plan.durationMs))
  }
  return tally.outcome(plan, observer, { ...rest, ...broken.told() }, prices)
}

/** The same with several replicas; those who decide in place of the policy know one replica only, and are not asked. */
function simulateReplicas(
  plan: Plan,
  replicas: ReplicaModel,
  settings: FleetSettings,
  prices: Prices,
  { policy, keepsMoments, step }: RunOptions,
): Outcome {
  const observer = new Observer(plan, keepsMoments)
  const tally = new Tally()
  const judges = new Judges(settings)
  const broken = new BrokenRules()
  let isOver = false
  const warnings = new Warnings()
  if (policy) warnings.add('scaling.policy is not asked where there are several replicas; the built-in policy decides.')
  let ledger: Ledger = { arrived: 0, answered: 0, cut: 0, waiting: 0 }
  function see(id: string, turn: Turn): void {
    broken.see(turn)
    if (broken.isLooking) broken.add(...judges.after(id, turn))
    if (isOver) return
    tally.see(turn.notes)
    warnings.hear(turn.notes, id, turn.atMs)
  }
  const service: Service = new Service({
    settings,
    scenario: plan.scenario,
    replicas,
    startsAtMs: plan.startsAtMs,
    helm: step ? { step } : {},
    see,
    look(seen) {
      if (broken.isLooking) broken.add(...judges.look(seen))
    },
    tick(fleets, now, atMs) {
      if (isOver) return
      ledger = now
      observer.observe(fleets, now, atMs, service.spared)
    },
  })
  service.run(plan.durationMs)
  isOver = true
  const restarts = service.replicas.reduce((sum, { fleet }) => sum + fleet.restarts, 0)
  const rest = { ledger, restarts, warnings: warnings.told() }
  if (broken.isClean) {
    const unhealed = (): readonly string[] => (broken.isClean ? judges.atRest(service.replicas, service.least) : [])
    broken.add(...comeToRest(service, unhealed, plan.durationMs))
  }
  return tally.outcome(plan, observer, { ...rest, ...broken.told() }, prices)
}

function unmetOf({ expect }: Plan, numbers: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(expect).flatMap(([name, range]) => {
    const value = numbers[name] as number
    if (range?.most !== undefined && value > range.most) return [`${name} is ${value}; the scenario expects at most ${range.most}`]
    return range?.least !== undefined && value < range.least ? [`${name} is ${value}; the scenario expects at least ${range.least}`] : []
  })
}

/** The machine-readable form, as documented. */
export function toJson({ decisions, timeline, summary, warnings }: Outcome): object {
  const moment = ({ atS, ready, target, cpu, queue, p95Ms }: Detail): Moment => ({ atS, ready, target, cpu, queue, p95Ms })
  return { decisions, timeline: timeline.map(moment), summary, warnings }
}

import type { Command } from '../../packages/supervisor/src/fleet/command.ts'
import type { FleetEvent } from '../../packages/supervisor/src/fleet/event.ts'
import type { Fleet } from '../../packages/supervisor/src/fleet/fleet.ts'
import { type Step, step } from '../../packages/supervisor/src/fleet/step.ts'

export type Core = (fleet: Fleet, event: FleetEvent) => Step

/** The production core, which now and then says more than it should. */
const saying =
  (more: (after: Step, event: FleetEvent) => Command | null): Core =>
  (fleet, event) => {
    const after = step(fleet, event)
    const command = more(after, event)
    return command ? { ...after, commands: [...after.commands, command] } : after
  }

const readyIn = ({ fleet }: Step): number[] => fleet.workers.flatMap(({ id, life }) => (life.kind === 'ready' ? [id] : []))

const killsOnReload: Core = saying((after, { kind }) => {
  const [workerId] = readyIn(after)
  return kind === 'reloadRequested' && workerId !== undefined ? { kind: 'kill', workerId } : null
})

/** Whatever number an operator says, it takes three more than there may be. */
const forksBeyondMax: Core = (fleet, event) => {
  const { settings } = fleet
  if (event.kind !== 'scaleRequested' || event.workers === 'auto') return step(fleet, event)
  const max = settings.workers.max + 3
  return step({ ...fleet, settings: { ...settings, workers: { ...settings.workers, max } } }, { ...event, workers: max })
}

const drainsTheLast: Core = saying((after, { kind }) => {
  const [workerId, another] = readyIn(after)
  const drains = kind === 'scaleRequested' && workerId !== undefined && another === undefined
  return drains ? { kind: 'drain', workerId, timeoutMs: 1000, patient: false } : null
})

/** Whoever has failed is waited for without an end. */
export const neverHeals: Core = (fleet, event) => {
  const after = step(fleet, event)
  return { ...after, fleet: { ...after.fleet, backingOff: after.fleet.backingOff.map((each) => ({ ...each, untilMs: 1e12 })) } }
}

export const endsEarly: Core = saying((_, { kind }) => (kind === 'reloadRequested' ? { kind: 'exit', code: 0, message: null } : null))

/** Faults that the core could have, and what those who judge it say of each. */
export const MUTANTS: readonly (readonly [fault: string, core: Core, sentence: string])[] = [
  ['kills without cause', killsOnReload, 'a worker was killed without cause'],
  ['forks more than workers.max', forksBeyondMax, 'workers stay; workers.max is'],
  ['sends the last ready worker away', drainsTheLast, 'the last ready worker was sent away'],
  ['never heals', neverHeals, 'after all faults have ended; the target is'],
  ['ends early', endsEarly, 'the supervisor ended and left'],
]

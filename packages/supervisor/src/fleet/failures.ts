import { describeMs } from '../policy/describe.ts'
import { type RespawnState, afterExit } from '../policy/respawn.ts'
import { countReady } from './census.ts'
import type { Draft } from './draft.ts'
import { failStop } from './shutdown.ts'

/** What failed, in a sentence part, and whose place is empty now. */
export interface Failure {
  readonly slot: number
  readonly what: string
  readonly lastStderrLines: readonly string[]
  readonly ofEnvironment: boolean
}

/** One more worker failed: its slot waits, and beyond the restart intensity the supervisor ends, so that whoever runs it can see it. */
export function countFailure(draft: Draft, failure: Failure): void {
  const { fleet } = draft
  const { restart } = fleet.settings
  // A fleet that never ran has no good past to fall back on: while it starts, failures do not age.
  const settings = fleet.phase === 'starting' ? { ...restart, windowMs: Number.POSITIVE_INFINITY } : restart
  const verdict = afterExit(fleet.respawn, fleet.nowMs, settings, nextChance(draft))
  fleet.respawn = verdict.state
  fleet.restarts++
  backOff(draft, failure.slot, verdict.state.notBeforeMs)
  const recent = verdict.state.exitsMs.length
  if (!verdict.exceeded) {
    draft.notes.push({ kind: 'fleet:restarting', inMs: verdict.delayMs, recent, intensity: restart.intensity })
    return
  }
  if (fleet.phase === 'starting') return failStart(draft, failure)
  if (failure.ofEnvironment && countReady(fleet) > 0) return goOnWithout(draft, failure)
  const message = `The app failed ${recent} times within ${restart.windowMs / 1000} s, more than the restart intensity of ${restart.intensity} allows; last, ${failure.what}.`
  failStop(draft, message + stderrOf(failure), 'the restart intensity was exceeded')
}

/** The first start did not come to the smallest fleet. */
export function failStart(draft: Draft, failure: Failure): void {
  const failures = Math.max(1, draft.fleet.respawn.exitsMs.length)
  const times = failures === 1 ? '' : ` It failed ${failures} times; last,`
  failStop(draft, `The app did not start:${times} ${failure.what}.${stderrOf(failure)}`.replace('start: It', 'start: it'), 'the app did not start')
}

/** Spares serve nobody: when only they fail, they wait, or are given up for a while, and those that serve go on. */
export function countSpareFailure(draft: Draft, failure: Failure): void {
  const { fleet } = draft
  const { restart } = fleet.settings
  const verdict = afterExit(fleet.spareRespawn, fleet.nowMs, restart, nextChance(draft))
  fleet.restarts++
  if (!verdict.exceeded) {
    fleet.spareRespawn = verdict.state
    draft.notes.push({ kind: 'fleet:restarting', inMs: verdict.delayMs, recent: verdict.state.exitsMs.length, intensity: restart.intensity })
    return
  }
  fleet.spareRespawn = givenUp(fleet.nowMs, restart.windowMs)
  const message = `Spare workers failed ${verdict.state.exitsMs.length} times; last, ${failure.what}. None is started for ${describeMs(restart.windowMs)}; the workers that serve go on.`
  draft.notes.push({ kind: 'fleet:warning', message })
}

/** Steps of this size, taken off at 1, never gather anywhere: neighbours in time are far apart. */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2

function nextChance({ fleet }: Draft): number {
  return fleet.chance === null ? 0 : (fleet.chance + fleet.restarts * GOLDEN_RATIO) % 1
}

const givenUp = (nowMs: number, forMs: number): RespawnState => ({ exitsMs: [], notBeforeMs: nowMs + forMs })

function goOnWithout(draft: Draft, failure: Failure): void {
  const { backoffMaxMs } = draft.fleet.settings.restart
  backOff(draft, failure.slot, draft.fleet.nowMs + backoffMaxMs)
  const message = `${failure.what}. The workers that serve go on; the next try is in ${describeMs(backoffMaxMs)}.`
  draft.notes.push({ kind: 'fleet:warning', message: message.charAt(0).toUpperCase() + message.slice(1) })
}

/** Only the slot that failed waits: growth in other slots has done nothing wrong. */
function backOff(draft: Draft, slot: number, untilMs: number): void {
  draft.fleet.backingOff = [...draft.fleet.backingOff.filter((other) => other.slot !== slot), { slot, untilMs }]
}

function stderrOf({ lastStderrLines }: Failure): string {
  return lastStderrLines.length > 0 ? `\nIts last lines on stderr:\n${lastStderrLines.map((line) => `  ${line}`).join('\n')}` : ''
}

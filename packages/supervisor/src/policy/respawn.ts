import type { RestartSettings } from './settings.ts'

/** Times of recent unexpected exits, oldest first, never more than the intensity plus one. */
export interface RespawnState {
  readonly exitsMs: readonly number[]
  /** No fork before this time. */
  readonly notBeforeMs: number
}

const MOST_TAKEN_OFF = 0.25

export const calm: RespawnState = { exitsMs: [], notBeforeMs: 0 }

export interface RespawnVerdict {
  readonly state: RespawnState
  readonly delayMs: number
  /** More exits than the restart intensity allows: give up, so that whoever runs us can see it. */
  readonly exceeded: boolean
}

/**
 * One more unexpected exit, at any age of the fleet. The delay doubles with every exit in the window, as in Erlang/OTP the
 * number of exits in the window is limited. `chance` (0 … 1) takes up to a quarter off the delay: replicas that failed together, as
 * with a database they share, must not come back in step.
 */
export function afterExit(state: RespawnState, nowMs: number, settings: RestartSettings, chance = 0): RespawnVerdict {
  const exitsMs = [...state.exitsMs.filter((atMs) => nowMs - atMs < settings.windowMs), nowMs].slice(-(settings.intensity + 1))
  const longestMs = Math.min(settings.backoffMs * 2 ** (exitsMs.length - 1), settings.backoffMaxMs)
  const delayMs = Math.round(longestMs * (1 - MOST_TAKEN_OFF * chance))
  return { state: { exitsMs, notBeforeMs: nowMs + delayMs }, delayMs, exceeded: exitsMs.length > settings.intensity }
}

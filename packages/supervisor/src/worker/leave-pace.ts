import type { DrainPlan } from './drain-plan.ts'

/** Spreads goodbyes evenly over the plan's window, so that clients which reconnect at once do not all arrive at once. */
export class LeavePace {
  readonly #plan: () => DrainPlan
  #leavers = 0
  #told = 0

  constructor(plan: () => DrainPlan) {
    this.#plan = plan
  }

  /** So many are to be told. */
  expect(leavers: number): void {
    this.#leavers = leavers
  }

  /** True if the next one may be told now. */
  isDue(nowMs: number): boolean {
    const plan = this.#plan()
    const windowMs = plan.leaveWindowMs(this.#leavers)
    const elapsedMs = nowMs - plan.startedAtMs
    return elapsedMs >= windowMs || this.#told <= (this.#leavers * elapsedMs) / windowMs
  }

  noteTold(): void {
    this.#told++
  }
}

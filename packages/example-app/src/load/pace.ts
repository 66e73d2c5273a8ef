/** Timers are no finer than this; at higher rates several calls share a tick. */
const tickMs = 5
/** After a stall (a laptop's lid, a busy core) at most this much is made up for. */
const maxCatchUpMs = 1_000

export type Pace = { setRate(perSecond: number): void; stop(): void }

/** Calls `due(dueAt)` at an even rate, with the moment (by `performance.now()`) at which the call should have happened. */
export function startPace(perSecond: number, due: (dueAt: number) => void): Pace {
  let rate = perSecond
  let next = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    next = Math.max(next, now - maxCatchUpMs)
    if (rate <= 0) next = now
    while (rate > 0 && next <= now) {
      due(next)
      next += 1_000 / rate
    }
  }, tickMs)
  return {
    setRate: (value) => {
      rate = value
      next = performance.now()
    },
    stop: () => clearInterval(timer),
  }
}

import { complain } from './complain.ts'
import { emitToApp, endSignalOfApp } from './process-events.ts'

export type DrainHook = () => void | Promise<void>

export interface Endable {
  /** Twice is once: the app may have ended it by itself. */
  end(): Promise<unknown>
  /** There is no more time: whoever waits for it is told. */
  giveUp?(): void
}

/** How long an app that listens for SIGTERM (or SIGINT) may take to exit by itself once its listeners were called. */
const APP_EXIT_MS = 5000
/** Whoever still waits for a connection when the time is up is told so, and can say it before the exit. */
const LAST_WORD_MS = 100

/** What the app wants done between its last response and its exit. */
export class CleanUp {
  readonly #hooks: DrainHook[] = []
  readonly #pools = new Set<Endable>()
  #onIdle: (() => void) | null = null

  addHook(hook: DrainHook): void {
    this.#hooks.push(hook)
  }

  addPool(pool: Endable): void {
    this.#pools.add(pool)
  }

  get isNeeded(): boolean {
    return this.#hooks.length > 0 || this.#pools.size > 0 || endSignalOfApp() !== null
  }

  /** In order of registration. Each hook gets a fair part of the time that is left, so that one that hangs does not starve the others. */
  async runHooks(remainingMs: () => number): Promise<void> {
    for (const [index, hook] of this.#hooks.entries()) {
      const limitMs = remainingMs() / (this.#hooks.length - index + 1)
      const outcome = await within(limitMs, async () => await hook())
      if (outcome === 'late') complain(`an onDrain hook did not end within ${Math.round(limitMs)} ms and is no longer waited for.`)
      else if (outcome !== 'done') complain('an onDrain hook failed:', outcome.error)
    }
  }

  /** Lets an app that was written for plain Node do what it does on its end signal. It may exit, or just have nothing left to do. */
  async callSignalListeners(remainingMs: () => number): Promise<void> {
    const signal = endSignalOfApp()
    if (signal === null) return
    try {
      emitToApp(signal)
    } catch (error) {
      complain(`a ${signal} listener failed:`, error)
      return // under plain Node this ends the process: nothing is under way that is worth waiting for
    }
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
      setTimeout(resolve, Math.min(APP_EXIT_MS, remainingMs())).unref()
    })
    this.#onIdle = null
  }

  /** Nothing is left to do in the process. */
  noteIdle(): void {
    this.#onIdle?.()
  }

  async endPools(remainingMs: () => number): Promise<void> {
    const ends = [...this.#pools].map(async (pool) => {
      const outcome = await within(remainingMs() - LAST_WORD_MS, async () => await pool.end())
      if (outcome === 'late') pool.giveUp?.()
      else if (outcome !== 'done') complain('a database pool could not be ended:', outcome.error)
    })
    await Promise.all(ends)
  }
}

/** Never rejects. */
async function within(limitMs: number, work: () => Promise<unknown>): Promise<'done' | 'late' | { readonly error: unknown }> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, limitMs), 'late')
  })
  try {
    return await Promise.race([
      late,
      work().then(
        () => 'done' as const,
        (error: unknown) => ({ error }),
      ),
    ])
  } finally {
    clearTimeout(timer)
  }
}

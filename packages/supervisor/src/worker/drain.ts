import type { Channel } from './channel.ts'
import type { CleanUp } from './clean-up.ts'
import { complain } from './complain.ts'
import type { DrainPlan } from './drain-plan.ts'
import { planDrain } from './drain-plan.ts'
import type { EngineSockets } from './engine-sockets.ts'
import { Farewell } from './farewell.ts'
import type { Traffic } from './traffic.ts'

/** The kernel takes a message at once or the primary is not reading; then the exit must not wait for it. */
const LAST_MESSAGE_MS = 100

export interface DrainParts {
  readonly traffic: Traffic
  readonly engines: EngineSockets
  readonly cleanUp: CleanUp
  readonly channel: Channel
  /** Other replicas forward to this one. */
  readonly hasPeers: boolean
  /** Stops accepting, on every server, without closing any. */
  stopAccepting(): void
}

export interface DrainOrder {
  readonly timeoutMs: number
  readonly patient: boolean
}

/** The orderly end of a worker: everybody is answered or told, the app cleans up, the process exits. Always within the time given. */
export class Drain {
  readonly #parts: DrainParts
  readonly #farewell: Farewell
  #plan: DrainPlan | null = null
  #alarm: NodeJS.Timeout | undefined
  #exitCode: number | undefined
  #reported = false

  constructor(parts: DrainParts) {
    this.#parts = parts
    this.#farewell = new Farewell(parts.traffic, parts.engines, () => this.#plan as DrainPlan)
  }

  /** A second call can only hurry the first. `exitCode` is undefined for "what the app has set, or 0". */
  begin({ timeoutMs, patient }: DrainOrder, exitCode?: number): void {
    const plan = planDrain(performance.now(), timeoutMs, { patient, hasCleanUp: this.#parts.cleanUp.isNeeded, hasPeers: this.#parts.hasPeers })
    const isFirst = this.#plan === null
    this.#exitCode ??= exitCode
    if (this.#plan && this.#plan.endAtMs <= plan.endAtMs) {
      if (!patient) this.#plan = { ...this.#plan, idleGraceMs: plan.idleGraceMs }
      return
    }
    this.#plan = plan
    clearTimeout(this.#alarm)
    this.#alarm = setTimeout(() => this.#finish(), plan.endAtMs - performance.now())
    if (isFirst) this.#run().catch((error: unknown) => complain('the drain failed and ends at its deadline:', error))
  }

  /** The process exits, by us or by the app: the primary learns what was cut. */
  reportBeforeExit(): void {
    if (!this.#plan) return
    this.#farewell.cutAll()
    this.#report()
  }

  async #run(): Promise<void> {
    const { cleanUp } = this.#parts
    const remainingMs = (): number => (this.#plan as DrainPlan).endAtMs - performance.now()
    this.#parts.stopAccepting()
    await this.#farewell.run()
    await cleanUp.runHooks(remainingMs)
    this.#alarm?.unref() // an app that has nothing left to do may end
    await cleanUp.callSignalListeners(remainingMs)
    this.#alarm?.ref()
    await cleanUp.endPools(remainingMs)
    this.#finish()
  }

  #finish(): void {
    this.#farewell.cutAll()
    setTimeout(() => process.exit(this.#exitCode), LAST_MESSAGE_MS)
    this.#report(() => process.exit(this.#exitCode))
  }

  #report(done: () => void = () => {}): void {
    if (this.#reported) return done()
    this.#reported = true
    const { connections, requests } = this.#farewell.cut
    this.#parts.channel.send({ kind: 'drained', cutConnections: connections, cutRequests: requests }, done)
  }
}

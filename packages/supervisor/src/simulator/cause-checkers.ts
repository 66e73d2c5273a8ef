import type { Command } from '../fleet/command.ts'
import type { FleetEvent } from '../fleet/event.ts'
import type { FleetSettings } from '../fleet/fleet.ts'
import type { Note } from '../fleet/note.ts'

/** What those who judge causes look at. */
export interface CauseSeen {
  readonly event: FleetEvent
  readonly commands: readonly Command[]
  readonly notes: readonly Note[]
  readonly fleet: { readonly phase: string }
}

interface Known {
  isSpare: boolean
  serves: boolean
  /** When it last said something of itself. */
  heardAtMs: number
}

/** Sizes that the load did not ask for: they need no report. */
const WITHOUT_REPORTS: ReadonlySet<string> = new Set(['bounds', 'manual', 'custom'])

/** Judges whether there was a cause for what was done: who is taken for stuck, how the supervisor ends, who is forked after so many failures, why the fleet shrinks. */
export class CauseCheckers {
  readonly #settings: FleetSettings
  readonly #known = new Map<number, Known>()
  #sampledAtMs = 0
  /** Times at which workers that served were lost by themselves. */
  #lossesMs: number[] = []
  /** Who has ended it: an operator, or what happened to the app; null while nobody has. */
  #endedBy: 'operator' | 'failure' | null = null

  constructor(settings: FleetSettings) {
    this.#settings = settings
  }

  /** Every rule that this step broke, one sentence each. */
  after(seen: CauseSeen): readonly string[] {
    this.#bookEvent(seen.event)
    const broken: string[] = []
    for (const note of seen.notes) if (note.kind === 'fleet:decided') this.#judgeShrinking(note.decision, broken)
    for (const command of seen.commands) this.#judgeCommand(command, seen.event.nowMs, broken)
    if (seen.fleet.phase === 'draining') this.#endedBy ??= 'failure'
    return broken.length === 0 ? broken : broken.map((sentence) => `at ${seen.event.nowMs} ms, after ${seen.event.kind}: ${sentence}`)
  }

  #bookEvent(event: FleetEvent): void {
    if (event.kind === 'stopRequested') this.#endedBy ??= 'operator'
    if (event.kind === 'sampled') return this.#bookSamples(event)
    if (!('workerId' in event)) return
    const known = this.#known.get(event.workerId)
    if (!known) return
    if (event.kind === 'readied') {
      known.serves = true
      known.heardAtMs = event.nowMs
    }
    if (event.kind !== 'exited') return
    this.#known.delete(event.workerId)
    if (known.serves && !known.isSpare) this.#lossesMs.push(event.nowMs)
  }

  #bookSamples({ samples, nowMs }: Extract<FleetEvent, { kind: 'sampled' }>): void {
    this.#sampledAtMs = nowMs
    for (const { workerId, report } of samples) {
      const known = report === null ? undefined : this.#known.get(workerId)
      if (known) known.heardAtMs = nowMs
    }
  }

  /** Who is silent may be busy: without a word of every one that serves the load asks for no smaller fleet. */
  #judgeShrinking({ from, to, lane }: { readonly from: number; readonly to: number; readonly lane: string }, broken: string[]): void {
    if (to >= from || WITHOUT_REPORTS.has(lane)) return
    for (const [workerId, { serves, isSpare, heardAtMs }] of this.#known)
      if (serves && !isSpare && heardAtMs < this.#sampledAtMs)
        broken.push(`the fleet shrinks from ${from} to ${to} by its load, though worker ${workerId} said nothing of its own`)
  }

  #judgeCommand(command: Command, nowMs: number, broken: string[]): void {
    if (command.kind === 'exit') return this.#judgeEnd(command.code, broken)
    if (command.kind === 'fork') return this.#judgeFork(command, nowMs, broken)
    if (!('workerId' in command) || command.workerId === null) return
    const known = this.#known.get(command.workerId)
    if (!known) return
    if (command.kind === 'promote') known.isSpare = false
    if (command.kind === 'diagnose' && nowMs - known.heardAtMs < this.#settings.health.stuckAfterMs)
      broken.push(`I19: worker ${command.workerId} was taken for stuck ${nowMs - known.heardAtMs} ms after it was heard`)
    // Whoever is told to go is no loss.
    if (command.kind === 'drain' || command.kind === 'kill' || command.kind === 'diagnose') known.serves = false
  }

  #judgeEnd(code: number, broken: string[]): void {
    if (this.#endedBy === 'operator' && code !== 0) broken.push(`I20: the stop that was asked for ended with code ${code}`)
    if (this.#endedBy !== 'operator' && code === 0) broken.push('I18: the supervisor ended with code 0, though nobody asked it to')
  }

  #judgeFork({ workerId, role }: Extract<Command, { kind: 'fork' }>, nowMs: number, broken: string[]): void {
    this.#known.set(workerId, { isSpare: role === 'spare', serves: false, heardAtMs: nowMs })
    const { intensity, windowMs } = this.#settings.restart
    this.#lossesMs = this.#lossesMs.filter((atMs) => nowMs - atMs < windowMs).slice(-intensity - 1)
    if (this.#lossesMs.length > intensity)
      broken.push(
        `I18: worker ${workerId} was forked after ${this.#lossesMs.length} were lost within ${windowMs} ms; restart.intensity is ${intensity}`,
      )
  }
}

import type { FleetEvent } from '../fleet/event.ts'
import { type Measured, median, sum } from './request-costs.ts'

/** What a machine was busy with besides workers that serve, as a journal tells. */
export interface MachineUse {
  /** How long a boot took; null where there was none. */
  readonly bootMs: number | null
  /** Of a core, what a boot took. */
  readonly bootCpus: number
  /** Cores that all else took, from then on. */
  readonly others: readonly { readonly atMs: number; readonly cpus: number }[]
}

interface Boot {
  readonly fromMs: number
  toMs: number
  succeeded: boolean
}

/** Boots are told apart from all else: they come when the policy wants them, and another policy wants them at other times. */
export function machineOf(events: readonly FleetEvent[], tickMs: number): MachineUse {
  const boots = bootsOf(events)
  // Boots and ticks are both in order of time: a boot that is over is not looked at again.
  let underWay: readonly Boot[] = boots
  const ticks = events.flatMap((event) => {
    if (event.kind !== 'sampled' || event.usage.cpus === null) return []
    const fromMs = event.nowMs - tickMs
    const over = underWay.findIndex(({ toMs }) => toMs > fromMs)
    if (over !== 0) underWay = over < 0 ? [] : underWay.slice(over)
    return [tickOf(event, event.usage.cpus, underWay, tickMs)]
  })
  const usualCpus = median(ticks.filter(({ bootsMs }) => bootsMs === 0).map(({ cpus }) => cpus))
  const booting = ticks.filter(({ bootsMs }) => bootsMs > 0)
  const moreMs = usualCpus === null ? 0 : sum(booting.map(({ cpus }) => (cpus - usualCpus) * tickMs))
  const bootCpus = Math.min(1, Math.max(0, moreMs / Math.max(1, sum(booting.map(({ bootsMs }) => bootsMs)))))
  return {
    bootMs: median(boots.flatMap(({ fromMs, toMs, succeeded }) => (succeeded ? [toMs - fromMs] : []))),
    bootCpus,
    others: ticks.map(({ fromMs, cpus, bootsMs }) => ({ atMs: fromMs, cpus: Math.max(0, cpus - (bootCpus * bootsMs) / tickMs) })),
  }
}

function bootsOf(events: readonly FleetEvent[]): Boot[] {
  const boots: Boot[] = []
  const underWay = new Map<number, Boot>()
  for (const event of events) {
    if (event.kind === 'forked') {
      const boot = { fromMs: event.nowMs, toMs: Number.POSITIVE_INFINITY, succeeded: false }
      boots.push(boot)
      underWay.set(event.workerId, boot)
    }
    if (event.kind !== 'readied' && event.kind !== 'exited') continue
    const boot = underWay.get(event.workerId)
    if (!boot) continue
    underWay.delete(event.workerId)
    boot.toMs = event.nowMs
    boot.succeeded = event.kind === 'readied'
  }
  return boots
}

function tickOf(
  { nowMs, samples }: Measured,
  usedCpus: number,
  boots: readonly Boot[],
  tickMs: number,
): { fromMs: number; cpus: number; bootsMs: number } {
  const fromMs = nowMs - tickMs
  let bootsMs = 0
  for (const boot of boots) {
    if (boot.fromMs >= nowMs) break
    bootsMs += Math.max(0, Math.min(nowMs, boot.toMs) - Math.max(fromMs, boot.fromMs))
  }
  // Who does not report yet is booting.
  const serving = sum(samples.map(({ cpu, report }) => (report === null ? 0 : (cpu ?? 0))))
  return { fromMs, cpus: Math.max(0, usedCpus - serving), bootsMs }
}

import { isBuiltIn } from '../policy/custom-signals.ts'
import { isFresh } from '../policy/health.ts'
import type { ScalingSettings } from '../policy/settings.ts'
import { isReady } from './census.ts'
import type { Draft } from './draft.ts'
import type { Fleet, Unreported } from './fleet.ts'

/** An app may need this long from its start to its first word of a signal. After that it will not come. */
const UNREPORTED_TELL_MS = 60_000

/** They are asked for several times a tick and change with the settings only. */
const namesOf = new WeakMap<ScalingSettings, readonly string[]>()

/** The names of the app's own that there are triggers for. */
export function customNames(settings: ScalingSettings): readonly string[] {
  const known = namesOf.get(settings)
  if (known) return known
  const names = [...new Set([...Object.keys(settings.up), ...Object.keys(settings.down)])].filter((name) => !isBuiltIn(name))
  namesOf.set(settings, names)
  return names
}

/** Looks, once a tick, whether the app reports what it is scaled by. A worker that is silent altogether says nothing about that. */
export function watchCustomSignals(draft: Draft): void {
  const { fleet } = draft
  const names = customNames(fleet.settings.scaling)
  if (names.length === 0) return
  const ready = fleet.workers.filter(isReady)
  const everyoneSpoke = ready.length > 0 && ready.every(({ reportAtMs }) => isFresh(reportAtMs, fleet.nowMs, fleet.settings.tickMs))
  const isReported = (name: string): boolean => ready.some(({ report }) => report !== null && Object.hasOwn(report.signals, name))
  fleet.unreported = names.flatMap((name): Unreported[] => {
    const before = fleet.unreported.find((each) => each.name === name)
    if (isReported(name)) return []
    if (!everyoneSpoke) return before ? [before] : []
    if (!before) return [{ name, sinceMs: fleet.nowMs, told: false }]
    if (before.told || fleet.nowMs - before.sinceMs < UNREPORTED_TELL_MS) return [before]
    draft.notes.push({ kind: 'fleet:warning', message: adviceOn(name, fleet.settings.scaling) })
    return [{ ...before, told: true }]
  })
}

function adviceOn(name: string, { up, down }: ScalingSettings): string {
  const triggers = [...(name in up ? [`scaling.up.${name}`] : []), ...(name in down ? [`scaling.down.${name}`] : [])]
  const what = `No worker reports the signal "${name}", so ${triggers.join(' and ')} ${triggers.length === 1 ? 'has' : 'have'} no say`
  return `${what}. Call reportSignal('${name}', …) of stationmaster/worker in the app, or take the option out.`
}

/** A down-trigger on something that nobody ever reports would forbid shrinking for ever: it is left out. */
export function scalingInForce({ settings, unreported }: Fleet): ScalingSettings {
  if (unreported.length === 0) return settings.scaling
  const leftOut = new Set(unreported.filter(({ told }) => told).map(({ name }) => name))
  if (leftOut.size === 0) return settings.scaling
  const down = Object.fromEntries(Object.entries(settings.scaling.down).filter(([name]) => !leftOut.has(name)))
  return { ...settings.scaling, down }
}

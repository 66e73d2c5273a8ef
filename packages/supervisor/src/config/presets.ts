import type { Path, Preset } from './values.ts'

/** Other starting points than the defaults of the table, in the notation of a config file. What a preset does not name stays as in `seed`. */
export const presets: Readonly<Record<Preset, Partial<Readonly<Record<Path, unknown>>>>> = {
  seed: {},
  // For load that comes in rushes, where a slow answer costs more than a worker.
  responsive: {
    'scaling.up.cpu': { above: 0.6, for: '15s' },
    'scaling.up.memory': { above: 0.75, for: '30s' },
    'scaling.up.queue': { above: 50, for: '10s' },
    'scaling.up.p95': { above: '1s', for: '30s' },
    'scaling.up.eventLoopDelay': { above: '50ms', for: '10s' },
    'scaling.up.eventLoopUtilization': { above: 0.65, for: '10s' },
    'scaling.cooldown.up': '15s',
    'scaling.predict': true,
    'scaling.surge': { eventLoopUtilization: 0.9, for: '2s' },
  },
  // For a service that may be a little slower if it needs less: it grows late and shrinks early.
  frugal: {
    'scaling.up.cpu': { above: 0.85, for: '120s' },
    'scaling.up.queue': { above: 200, for: '60s' },
    'scaling.up.p95': { above: '4s', for: '180s' },
    'scaling.up.eventLoopDelay': { above: '200ms', for: '60s' },
    'scaling.up.eventLoopUtilization': { above: 0.9, for: '60s' },
    'scaling.down.cpu': { below: 0.45, for: '120s' },
    'scaling.down.memory': { below: 0.5, for: '120s' },
    'scaling.down.queue': { below: 25, for: '120s' },
    'scaling.down.p95': { below: '1s', for: '120s' },
    'scaling.down.eventLoopDelay': { below: '40ms', for: '120s' },
    'scaling.down.eventLoopUtilization': { below: 0.45, for: '120s' },
    'scaling.cooldown.down': '120s',
    'scaling.warmUp': '30s',
    'scaling.surge': { eventLoopUtilization: 0.98, for: '5s' },
  },
}

export const presetNames: readonly Preset[] = Object.keys(presets) as Preset[]

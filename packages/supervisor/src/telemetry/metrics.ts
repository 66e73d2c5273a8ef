import type { Prices } from '../policy/cost.ts'
import type { Control, Metrics } from '../primary/ports.ts'
import { type Metric, metricsOf } from './metric-table.ts'
import { createTally } from './tally.ts'

/** Counts from now on; the rest is read when somebody asks, so nothing is left of a worker that is gone. */
export function createMetrics(control: Pick<Control, 'status' | 'subscribe'>, prices: Prices): Metrics & { close(): void } {
  const tally = createTally()
  const close = control.subscribe(tally.take)
  return { render: async (format) => await write(metricsOf(control.status(), tally, prices), format), close }
}

async function write(metrics: readonly Metric[], format: Parameters<Metrics['render']>[0]): ReturnType<Metrics['render']> {
  // Loaded with the first question: most fleets are never asked.
  const { Counter, Gauge, Registry } = (await import('prom-client')).default
  const registry = new Registry()
  if (format === 'openmetrics') registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
  for (const { name, help, kind, readings } of metrics) {
    const known = readings.flatMap(([value, labels = {}]) => (value === null ? [] : [{ value, labels }]))
    // One without any value would be told as 0.
    if (known.length === 0) continue
    const options = { name, help, labelNames: Object.keys(known[0]?.labels ?? {}), registers: [registry] }
    const gauge = kind === 'gauge' ? new Gauge(options) : null
    const counter = kind === 'counter' ? new Counter(options) : null
    for (const { value, labels } of known) {
      gauge?.set(labels, value)
      counter?.inc(labels, value)
    }
  }
  return { contentType: registry.contentType, body: await registry.metrics() }
}

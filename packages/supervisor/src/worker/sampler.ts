import type { IntervalHistogram } from 'node:perf_hooks'
import { msToNextBeat } from '../policy/beat.ts'
import type { Report } from '../policy/sample.ts'
import type { AppSignals } from './app-signals.ts'
import { activityOf } from './connection.ts'
import type { Traffic } from './traffic.ts'

/** How often the delay of the event loop is looked at: fine enough for a p99 over a second, and 50 wake-ups cost nothing measurable. */
const DELAY_RESOLUTION_MS = 20
const NS_PER_MS = 1e6

export interface SamplerParts {
  readonly traffic: Traffic
  readonly signals: AppSignals
  readonly tickMs: number
  send(report: Report): void
}

/** Sends a report at each beat, without keeping the process alive. The first covers the time from now on: what booting took is no load. */
export async function startSampler({ traffic, signals, tickMs, send }: SamplerParts): Promise<void> {
  const { monitorEventLoopDelay, performance } = await import('node:perf_hooks')
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
  delay.enable()
  let loop = performance.eventLoopUtilization()
  let lastAtMs = performance.now()
  let dueAtMs = lastAtMs
  const report = (): void => {
    const nowMs = performance.now()
    const nextLoop = performance.eventLoopUtilization()
    const intervalMs = nowMs - lastAtMs
    const lateMs = nowMs - dueAtMs
    const eventLoopUtilization = performance.eventLoopUtilization(nextLoop, loop).utilization || 0
    lastAtMs = nowMs
    loop = nextLoop
    const eventLoopDelayP99Ms = Math.max(lateMs, takeDelayP99Ms(delay))
    send({ intervalMs, eventLoopUtilization, eventLoopDelayP99Ms, ...takeTraffic(traffic), database: null, signals: signals.read() })
  }
  const reportAtNextBeat = (): void => {
    const waitMs = msToNextBeat(performance.timeOrigin + performance.now(), tickMs, 'report')
    dueAtMs = performance.now() + waitMs
    setTimeout(() => {
      report()
      reportAtNextBeat()
    }, waitMs).unref()
  }
  reportAtNextBeat()
}

/**
 * The histogram holds the time between two looks, so an idle loop shows the resolution itself. Its reset forgets the look before, too: a
 * delay that was not looked at yet is lost. Then the report itself was as late.
 */
function takeDelayP99Ms(delay: IntervalHistogram): number {
  const p99Ms = delay.count === 0 ? 0 : delay.percentile(99) / NS_PER_MS - DELAY_RESOLUTION_MS
  delay.reset()
  return Math.max(0, p99Ms)
}

function takeTraffic(traffic: Traffic): Pick<Report, 'queue' | 'requests' | 'connections' | 'sockets' | 'latencies' | 'queueTimes'> {
  let queue = 0
  let sockets = 0
  for (const connection of traffic.connections) {
    const activity = activityOf(connection)
    if (activity === 'answering' || activity === 'multiplexed') queue += connection.inFlight
    else if (activity === 'upgraded') sockets++
  }
  return { queue, sockets, connections: traffic.clients, ...traffic.take() }
}

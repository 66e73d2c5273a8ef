import { expect, test } from 'vitest'
import type { Report } from '../../packages/supervisor/src/policy/sample.ts'
import { AppSignals } from '../../packages/supervisor/src/worker/app-signals.ts'
import { startSampler } from '../../packages/supervisor/src/worker/sampler.ts'
import { Traffic } from '../../packages/supervisor/src/worker/traffic.ts'

/** Starting a process keeps its event loop busy; a fleet that took that for load would answer each boot with another one. */
test("what a worker's boot took is no part of its first report", async () => {
  const { promise, resolve } = Promise.withResolvers<Report>()
  const calledAtMs = performance.now()
  await startSampler({ traffic: new Traffic(), signals: new AppSignals(), tickMs: 100, send: resolve })
  const { intervalMs, eventLoopUtilization } = await promise
  expect(intervalMs).toBeLessThanOrEqual(performance.now() - calledAtMs)
  expect(eventLoopUtilization).toBeGreaterThanOrEqual(0)
})

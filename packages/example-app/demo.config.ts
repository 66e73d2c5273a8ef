import { defineConfig } from 'stationmaster'

/** The policy of an ordinary day with its minutes turned into seconds, so that a whole rush hour fits into a demonstration. */
export default defineConfig({
  entry: './src/server.ts',
  workers: { min: 1, max: 6, spares: 1, oversubscribe: true },
  scaling: {
    up: {
      cpu: { above: 0.7, for: '4s' },
      queue: { above: 20, for: '2s' },
      p95: { above: '250ms', for: '4s' },
      eventLoopDelay: { above: '100ms', for: '3s' },
      eventLoopUtilization: { above: 0.8, for: '3s' },
    },
    down: {
      cpu: { below: 0.3, for: '8s' },
      queue: { below: 5, for: '8s' },
      p95: { below: '200ms', for: '8s' },
      eventLoopDelay: { below: '60ms', for: '8s' },
      eventLoopUtilization: { below: 0.4, for: '8s' },
    },
    cooldown: { up: '4s', down: '5s' },
  },
  drain: { timeout: '10s' },
  database: { budget: 60 },
})

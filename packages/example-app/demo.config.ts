import { defineConfig } from 'stationmaster'

/**
 * The policy of an ordinary day with its minutes turned into seconds, so that a whole rush hour fits into a demonstration. It keeps half of
 * each core free and gives delays some room, because the clients and the databases share the machine with the workers.
 */
export default defineConfig({
  entry: './src/server.ts',
  workers: { min: 1, max: 4, spares: 1, oversubscribe: true },
  scaling: {
    up: {
      cpu: { above: 0.5, for: '3s' },
      queue: { above: 20, for: '3s' },
      p95: { above: '1s', for: '4s' },
      eventLoopDelay: { above: '400ms', for: '4s' },
      eventLoopUtilization: { above: 0.7, for: '3s' },
      // This app's memory does not follow its load.
      memory: false,
    },
    down: {
      cpu: { below: 0.25, for: '5s' },
      queue: { below: 10, for: '5s' },
      p95: { below: '500ms', for: '5s' },
      eventLoopDelay: { below: '200ms', for: '5s' },
      eventLoopUtilization: { below: 0.4, for: '5s' },
      memory: false,
    },
    cooldown: { up: '4s', down: '5s' },
  },
  database: { budget: 90 },
  routing: { rebalance: true, rebalanceInterval: '10s' },
  drain: { timeout: '10s' },
  // What `stationmaster simulate` can play again, with this policy or another.
  journal: { file: process.env['DEMO_JOURNAL'] ?? false },
})

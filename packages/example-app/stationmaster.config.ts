import { defineConfig } from 'stationmaster'

export default defineConfig({
  entry: './src/server.ts',
  workers: {
    min: 1,
    max: 10,
    // By itself a fleet never grows beyond the cores that it has, because more workers could not do more. A laptop has few cores, and
    // this app is for looking at fleets: leave this line out in production.
    oversubscribe: true,
  },
  health: { path: '/health' },
  // PostgreSQL takes 100 unless told otherwise, of which it keeps 3 for superusers.
  database: { budget: 90 },
})

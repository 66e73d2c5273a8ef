import { configDefaults, defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // nginx comes with no npm package; where NGINX_PATH names one, it is tested behind it.
    exclude: [...configDefaults.exclude, ...(process.env['NGINX_PATH'] ? [] : ['test/routing/nginx.test.ts'])],
    globalSetup: ['./vitest.global-setup.ts'],
    // Real processes need the two cores to themselves: more files at once only make each of them wait for the others.
    maxWorkers: 2,
    // Where the machine is shared, a process may be starved for longer than a bound allows; a retry is shown in the output.
    retry: process.env['CI'] ? 2 : 0,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})

import { configDefaults, defineConfig } from 'vitest/config'

// nginx comes with no npm package; where NGINX_PATH names one, it is tested behind it.
const leftOut = process.env['NGINX_PATH'] ? [] : ['test/routing/nginx.test.ts']
for (const file of leftOut) console.log(`${file} is left out: NGINX_PATH does not say where nginx is.`)

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...leftOut],
    globalSetup: ['./vitest.global-setup.ts'],
    // Real processes need the two cores to themselves: more files at once only make each of them wait for the others.
    maxWorkers: 2,
    // Where the machine is shared, a process may be starved for longer than a bound allows; a retry is shown in the output.
    retry: process.env['CI'] ? 2 : 0,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})

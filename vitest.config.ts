import { existsSync } from 'node:fs'
import { configDefaults, defineConfig } from 'vitest/config'

// nginx comes with no npm package. Long polling is tested behind the one that NGINX_PATH names or Debian installs; an empty NGINX_PATH leaves it out.
const debianNginx = '/usr/sbin/nginx'
const nginx = process.env['NGINX_PATH'] ?? (existsSync(debianNginx) ? debianNginx : '')
const leftOut = nginx ? [] : ['test/routing/nginx.test.ts']
for (const file of leftOut) console.log(`${file} is left out: it needs nginx, as ${debianNginx} or where NGINX_PATH says.`)

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...leftOut],
    env: { NGINX_PATH: nginx },
    globalSetup: ['./vitest.global-setup.ts'],
    // Real processes need the two cores to themselves: more files at once only make each of them wait for the others.
    maxWorkers: 2,
    // Where the machine is shared, a process may be starved for longer than a bound allows; a retry is shown in the output.
    retry: process.env['CI'] ? 2 : 0,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})

import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { describe, expect } from 'vitest'
import { checkPlatform } from '../../packages/supervisor/src/operator/checks/platform.ts'
import type { CliWorld } from './harness.ts'
import { it } from './harness.ts'
import { runHere } from './in-process.ts'

interface Report {
  readonly ok: boolean
  readonly errors: string[]
  readonly warnings: string[]
}

async function check(cli: CliWorld, options: object, environment: Record<string, string> = {}): Promise<Report & { readonly code: number | null }> {
  await writeFile(path.join(cli.folder, 'server.js'), '')
  await writeFile(path.join(cli.folder, 'stationmaster.config.json'), JSON.stringify({ entry: 'server.js', workers: { max: 2 }, ...options }))
  const { code, stdout } = await runHere(cli.folder, ['check', '--json'], { environment })
  return { ...(JSON.parse(stdout) as Report), code }
}

/** Listens on a port of its own while `use` runs. */
async function withListener(use: (port: number) => Promise<void>): Promise<void> {
  const server = net.createServer((socket) => socket.destroy()).listen(0)
  await once(server, 'listening')
  try {
    await use((server.address() as net.AddressInfo).port)
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}

/** A port where nothing listens. */
async function freePort(): Promise<number> {
  let free = 0
  await withListener((port) => Promise.resolve(void (free = port)))
  return free
}

it('a real process: all is well, exit 0', async ({ cli }) => {
  await writeFile(path.join(cli.folder, 'server.js'), '')
  const { code, stdout, stderr } = await cli.run(['check', 'server.js', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, errors: [] })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

it('finds nothing where there is nothing', async ({ cli }) => {
  expect(await check(cli, {})).toMatchObject({ code: 0, ok: true, errors: [], warnings: [] })
})

it('prints the same for people, with the size of the container', async ({ cli }) => {
  const { code, stdout } = await runHere(cli.folder, ['check', 'gone.js'])
  expect(code).toBe(2)
  expect(stdout).toMatch(/^error {4}The entry .*gone\.js does not exist/)
  expect(stdout).toContain('1 error, 0 warnings; 2 CPUs, 2 GB (cgroup2)')
})

describe('errors, exit 2', () => {
  it('every fault of the config, each by itself, with the file', async ({ cli }) => {
    const { code, ok, errors } = await check(cli, { workers: { max: 0, mn: 1 }, log: 'xml' })
    expect({ code, ok }).toEqual({ code: 2, ok: false })
    for (const part of ['workers.max', 'workers.mn', 'log'])
      expect(errors.some((line) => line.startsWith(`stationmaster.config.json: ${part}`))).toBe(true)
  })

  it('a config file that cannot be read', async ({ cli }) => {
    await writeFile(path.join(cli.folder, 'stationmaster.config.json'), '{')
    const { code, stdout } = await runHere(cli.folder, ['check', '--json'])
    expect(code).toBe(2)
    expect((JSON.parse(stdout) as Report).errors).toEqual([expect.stringContaining('stationmaster.config.json')])
  })

  it('a port that is taken, with its holder', async ({ cli }) => {
    await withListener(async (port) => {
      const { code, errors } = await check(cli, {}, { PORT: String(port) })
      expect({ code, errors }).toEqual({
        code: 2,
        errors: [`PORT ${port} is taken by a process (pid 4711). End that process, or choose another port.`],
      })
    })
    expect((await check(cli, {}, { PORT: String(await freePort()) })).errors).toEqual([])
    expect((await check(cli, {}, { PORT: '99999' })).errors).toHaveLength(1)
  })

  it.for([
    ['redis', 'redis'],
    ['database', 'postgres'],
  ] as const)('%s where nothing answers, without showing its password', async ([group, scheme], { cli }) => {
    await withListener(async (port) => {
      expect((await check(cli, { [group]: { url: `${scheme}://user:canary@127.0.0.1:${port}/0` } })).errors).toEqual([])
    })
    const url = `${scheme}://user:canary@127.0.0.1:${await freePort()}/0`
    const { code, errors } = await check(cli, { [group]: { url } })
    expect(code).toBe(2)
    expect(errors).toEqual([expect.stringMatching(new RegExp(`^${group}\\.url: nothing answers at 127\\.0\\.0\\.1:\\d+ \\(ECONNREFUSED\\)`))])
    expect(errors.join()).not.toContain('canary')
  })
})

describe('warnings, exit 0', () => {
  it.for([
    ['workers beyond the CPUs', { workers: { max: 9 } }, {}, 'workers.max is 9, but 2 CPUs (cgroup2) carry 2'],
    ['memory that is not there', { workers: { min: 2, max: 2, memoryLimit: '1.5GB' } }, {}, '2 × 1.5 GB is more than the 2 GB'],
    ['no time to drain on Railway', {}, { RAILWAY_ENVIRONMENT_ID: 'x' }, 'RAILWAY_DEPLOYMENT_DRAINING_SECONDS is not set'],
    ['none at all', {}, { RAILWAY_REPLICA_ID: 'x', RAILWAY_DEPLOYMENT_DRAINING_SECONDS: '0' }, 'RAILWAY_DEPLOYMENT_DRAINING_SECONDS is 0'],
    ['too little', {}, { RAILWAY_REPLICA_ID: 'x', RAILWAY_DEPLOYMENT_DRAINING_SECONDS: '10' }, 'Set it to 35.'],
    [
      'a window that was forgotten',
      { scaling: { down: { cpu: { for: '60s' }, queue: { for: '90s' }, p95: false, eventLoopDelay: false, eventLoopUtilization: false } } },
      {},
      'scaling.down.memory keeps its window of 300 s, so the fleet shrinks no sooner, though the other windows are 90 s or less.',
    ],
    [
      'several windows that were forgotten',
      { scaling: { down: { cpu: { for: '60s' }, p95: false } } },
      {},
      'scaling.down.memory, scaling.down.queue, scaling.down.eventLoopDelay, scaling.down.eventLoopUtilization keep their windows of 300 s',
    ],
    [
      'an option that does nothing yet',
      { routing: { balance: 'least-busy' } },
      {},
      'routing.balance "least-busy" (it acts as "shared") has no effect in this version.',
    ],
    [
      'spares where no worker can wait',
      { routing: { balance: 'round-robin' }, workers: { max: 2, spares: 1 } },
      {},
      'workers.spares has no effect with routing.balance "round-robin"',
    ],
    [
      'what a package of others cannot do',
      { routing: { engine: 'socket.io-sticky' } },
      {},
      'routing.engine "socket.io-sticky": every connection is closed after one response',
    ],
    [
      'clients that come back to where they are sent away',
      { routing: { sticky: { cookie: 'sid' }, rebalance: true } },
      {},
      'routing.rebalance has no effect on clients that routing.sticky knows by their cookie',
    ],
    [
      'keys that other replicas do not know',
      {
        routing: { sticky: { address: true } },
        redis: { url: 'redis://x/0?host=/nowhere' },
        replica: { listen: '[::]:9470', secret: 's'.repeat(32) },
      },
      {},
      'replica.listen passes on Socket.IO sessions only: those whom routing.sticky knows by their address',
    ],
    [
      'a package manager in between',
      {},
      { npm_lifecycle_event: 'start', npm_config_user_agent: 'pnpm/12.0.0 npm/? node/v24' },
      'started by pnpm (script "start")',
    ],
  ] as const)('%s', async ([, options, environment, part], { cli }) => {
    const { code, ok, errors, warnings } = await check(cli, options, environment)
    expect({ code, ok, errors }).toEqual({ code: 0, ok: true, errors: [] })
    expect(warnings).toEqual([expect.stringContaining(part)])
  })

  it.for([
    ['oversubscribed on purpose', { workers: { max: 9, oversubscribe: true } }, {}],
    ['a workers.max that nobody chose', { workers: {} }, {}],
    ['a longer window beside the usual ones', { scaling: { down: { cpu: { for: '600s' } } } }, {}],
    ['enough time', {}, { RAILWAY_REPLICA_ID: 'x', RAILWAY_DEPLOYMENT_DRAINING_SECONDS: '40' }],
    ['called by npx', {}, { npm_lifecycle_event: 'npx', npm_config_user_agent: 'npm/11.0.0' }],
    ['empty variables', {}, { RAILWAY_ENVIRONMENT_ID: '', npm_lifecycle_event: '', PORT: '' }],
  ] as const)('none: %s', async ([, options, environment], { cli }) => {
    expect(await check(cli, options, environment)).toMatchObject({ code: 0, warnings: [] })
  })

  it.for(['20.20.0', '23.11.1', '25.2.0', '27.0.0', '220.0.0'])('Node %s, which is not one of the lines that are tested', (version) => {
    const [found, ...others] = checkPlatform({}, 0, version)
    expect(found).toMatchObject({
      level: 'warning',
      message: `Node ${version} is not one of the lines that are tested (22, 24, 26); use the newest of one of them.`,
    })
    expect(others).toEqual([])
  })

  it.for(['22.18.0', '24.21.0', '26.0.1'])('none: Node %s', (version) => {
    expect(checkPlatform({}, 0, version)).toEqual([])
  })

  it('a supervisor that runs here already, whose port is no fault', async ({ cli }) => {
    await cli.supervise()
    await withListener(async (port) => {
      const { code, errors, warnings } = await check(cli, {}, { PORT: String(port) })
      expect({ code, errors }).toEqual({ code: 0, errors: [] })
      expect(warnings).toEqual([expect.stringContaining(`already (pid ${process.pid})`)])
    })
  })
})

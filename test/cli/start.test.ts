import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect } from 'vitest'
import { connectControl } from '../../packages/supervisor/src/operator/control-client.ts'
import { hasTerminals } from './harness.ts'
import { SERVER, it } from './started.ts'

it('runs an unmodified server, answers every command, and ends with 0 on SIGTERM', async ({ cli, start }) => {
  await writeFile(path.join(cli.folder, 'server.js'), SERVER)
  const app = start(['server.js', '--max', '2', '--', '--verbose', 'a b'])
  await app.says('the fleet is running')
  await app.says('["--verbose","a b"]')
  const port = Number(/LISTENING (\d+)/.exec(app.output())?.[1])
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('hello')

  const status = JSON.parse((await cli.run(['status', '--json'])).stdout) as { state: string; workers: unknown[]; pid: number }
  expect(status).toMatchObject({ version: 1, state: 'running', pid: app.process.pid, fleet: { min: 1, max: 2 } })
  // On a machine that has other work the answer has a warning, too.
  expect(await cli.run(['scale', '2'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^2 workers are ready[;\n]/) })
  expect(await cli.run(['scale', '3'])).toMatchObject({ code: 2, stdout: '' })
  expect(await cli.run(['reload'])).toMatchObject({ code: 0, stdout: expect.stringContaining('generation 2 is serving') })
  expect(await cli.run(['drain', '4711'])).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no worker 4711') })
  expect((await cli.run(['explain'])).stdout).toMatch(/^now\n[\d:]+ {2}/)

  app.process.kill('SIGTERM')
  expect(await app.ends()).toEqual([0, null])
  expect((await cli.run(['status'])).code).toBe(3)
})

it('takes everything from a config file in TypeScript, and flags win over it', async ({ cli, start }) => {
  await writeFile(path.join(cli.folder, 'app.cjs'), SERVER)
  const config = `const max: number = 7\nexport default { entry: './app.cjs', args: ['from-file'], workers: { max }, scaling: { mode: 'shadow' }, control: { socket: 'own.sock' } }\n`
  await writeFile(path.join(cli.folder, 'stationmaster.config.mts'), config)
  const app = start(['--max', '3'])
  await app.says('the fleet is running')
  await app.says('["from-file"]')
  const status = await connectControl(path.join(cli.folder, 'own.sock')).status()
  expect(status).toMatchObject({ mode: 'shadow', fleet: { max: 3 } })
  app.process.kill('SIGINT')
  expect(await app.ends()).toEqual([0, null])
})

it('is found by the other commands in the folder where it was started, wherever its config file lies', async ({ cli, start }) => {
  await mkdir(path.join(cli.folder, 'deploy'))
  await writeFile(path.join(cli.folder, 'deploy', 'app.cjs'), SERVER)
  await writeFile(path.join(cli.folder, 'deploy', 'small.json'), JSON.stringify({ entry: './app.cjs', workers: { max: 2 } }))
  const app = start(['--config', 'deploy/small.json'])
  await app.says('the fleet is running')
  const { code, stdout } = await cli.run(['status', '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ pid: app.process.pid, fleet: { max: 2 } })
  app.process.kill('SIGTERM')
  expect(await app.ends()).toEqual([0, null])
})

it('an app that fails ends with 1, the cause and its last words', async ({ cli, start }) => {
  await writeFile(path.join(cli.folder, 'server.js'), `throw new Error('no licence found')`)
  const app = start(['server.js', '--log', 'json'])
  expect(await app.ends()).toEqual([1, null])
  expect(app.output()).toContain('no licence found')
  expect(app.output()).toMatch(/failed \d+ times/)
})

it("a policy of the user's own decides, with its reason; one that fails is told of, and the fleet serves on", async ({ cli, start }) => {
  await writeFile(path.join(cli.folder, 'server.js'), SERVER)
  const config = `
    import { existsSync } from 'node:fs'
    export default {
      entry: './server.js',
      workers: { max: 3, oversubscribe: true, spares: 0 },
      sampling: { interval: '100ms' },
      scaling: {
        policy({ workers }) {
          if (existsSync(import.meta.dirname + '/broken')) throw new Error('no data')
          return { workers: 2, reason: 'two are company' }
        },
      },
    }`
  await writeFile(path.join(cli.folder, 'stationmaster.config.mjs'), config)
  const app = start(['--log', 'json'])
  await app.says('two are company')
  await writeFile(path.join(cli.folder, 'broken'), '')
  await app.says('scaling.policy failed (Error: no data); the built-in policy decides')
  const { decisions } = JSON.parse((await cli.run(['explain', '--json'])).stdout) as { decisions: object[] }
  expect(decisions).toMatchObject([{ from: 1, to: 2, lane: 'custom', reason: 'scaling.policy: two are company' }])
  app.process.kill('SIGTERM')
  expect(await app.ends()).toEqual([0, null])
})

it('a reload that does not come up exits 1, tells why, and the old workers serve on', async ({ cli, start }) => {
  await writeFile(path.join(cli.folder, 'server.js'), SERVER)
  const app = start(['server.js', '--max', '2'])
  await app.says('the fleet is running')
  await app.says('LISTENING')
  const port = Number(/LISTENING (\d+)/.exec(app.output())?.[1])
  await writeFile(path.join(cli.folder, 'server.js'), `throw new Error('bad release')`)
  const { code, stdout, stderr } = await cli.run(['reload'])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^Reload aborted: .*old workers stay/)
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('hello')
  app.process.kill('SIGTERM')
  expect(await app.ends()).toEqual([0, null])
})

it('goes on when nobody reads its output any more', async ({ cli, start }) => {
  await writeFile(path.join(cli.folder, 'server.js'), SERVER)
  const app = start(['server.js', '--max', '2'])
  await app.says('the fleet is running')
  app.process.stdout?.destroy()
  app.process.stderr?.destroy()
  expect(await cli.run(['scale', '2'])).toMatchObject({ code: 0 })
  expect(await cli.run(['reload'])).toMatchObject({ code: 0 })
  app.process.kill('SIGTERM')
  expect(await app.ends()).toEqual([0, null])
})

it('told to stop while it boots, it ends with 0', async ({ cli, start }) => {
  await writeFile(
    path.join(cli.folder, 'server.js'),
    `require('node:fs').writeFileSync('booting', ''); console.log('BOOTING'); setInterval(() => {}, 1000)`,
  )
  const app = start(['server.js'])
  await app.says('BOOTING')
  app.process.kill('SIGTERM')
  expect(await app.ends()).toEqual([0, null])
  expect(await readFile(path.join(cli.folder, 'booting'), 'utf8')).toBe('')
})

it('serves probes, metrics, the dashboard and the status where --admin says, and tells where that is', async ({ cli, start }) => {
  await writeFile(path.join(cli.folder, 'server.js'), SERVER)
  await writeFile(path.join(cli.folder, 'stationmaster.config.json'), JSON.stringify({ entry: './server.js', admin: { listen: '127.0.0.1:1' } }))
  const app = start(['--admin', '127.0.0.1:0', '--log', 'json'])
  await app.says('the fleet is running')
  const url = /the dashboard and the metrics are at (http:[\w.:/]+)/.exec(app.output())?.[1]
  const answers = ['/livez', '/readyz', '/metrics', '/', '/v1/status'].map(async (place) => {
    const response = await fetch(`${url}${place}`)
    return [response.status, response.headers.get('content-type')?.split(';')[0], await response.text()] as const
  })
  const [livez, readyz, metrics, page, status] = await Promise.all(answers)
  expect(livez).toEqual([200, 'text/plain', 'ok\n'])
  expect(readyz).toEqual([200, 'text/plain', 'running, 1 of 1 workers ready\n'])
  expect(metrics).toEqual([200, 'text/plain', expect.stringMatching(/^stationmaster_\w+(\{.*\})? \d/m)])
  expect(page).toEqual([200, 'text/html', expect.stringMatching(/^<!doctype html>/i)])
  expect(status?.slice(0, 2)).toEqual([200, 'application/json'])
  expect(JSON.parse(status?.[2] ?? '')).toMatchObject({ version: 1, state: 'running', pid: app.process.pid })
  app.process.kill('SIGTERM')
  expect(await app.ends()).toEqual([0, null])
})

it.runIf(hasTerminals).for([
  [{}, true],
  [{ NO_COLOR: '' }, true],
  [{ NO_COLOR: '1' }, false],
  [{ TERM: 'dumb' }, false],
] as const)('on a terminal it tells people what happens; with %j in colours: %s', async ([environment, inColours], { cli, start }) => {
  await writeFile(path.join(cli.folder, 'server.js'), SERVER)
  const app = start(['server.js'], { environment, onTerminal: true })
  await app.says('the fleet is running')
  expect(app.output().includes('\u001b[')).toBe(inColours)
  expect(app.output()).toContain(inColours ? '\u001b[32minfo ' : ' info  the fleet is running')
  const { pid } = JSON.parse((await cli.run(['status', '--json'])).stdout) as { pid: number }
  process.kill(pid, 'SIGTERM')
  expect(await app.ends()).toEqual([0, null])
})

it('a promise of the config file that fails while the fleet runs drains the fleet and ends with 1, and the cause', async ({ cli, start }) => {
  await writeFile(path.join(cli.folder, 'server.js'), SERVER)
  const config = `
    import { watch } from 'node:fs'
    watch(import.meta.dirname, (_, name) => name === 'now' && void Promise.reject(new Error('later'))).unref()
    export default { entry: './server.js' }`
  await writeFile(path.join(cli.folder, 'stationmaster.config.mjs'), config)
  const app = start(['--log', 'json'])
  await app.says('the fleet is running')
  await writeFile(path.join(cli.folder, 'now'), '')
  expect(await app.ends()).toEqual([1, null])
  expect(app.output()).toContain('Something in the supervisor failed that nobody caught (Error: later). If that is not from your config file')
  expect(app.output()).toMatch(/"event":"worker:exited"[^\n]*"code":0/)
})

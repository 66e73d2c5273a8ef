import { once } from 'node:events'
import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect } from 'vitest'
import { StationmasterError } from '../../packages/supervisor/src/errors.ts'
import { decision, status } from '../operator/fake-control.ts'
import { expectSentence, it, spawnCli } from './harness.ts'

describe('status', () => {
  it('--json prints what the supervisor says, and nothing else', async ({ cli }) => {
    await cli.supervise()
    const { code, stdout, stderr } = await cli.run(['status', '--json'])
    expect(JSON.parse(stdout)).toEqual(status)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  it('prints a table without colour where no terminal reads it', async ({ cli }) => {
    await cli.supervise()
    const { code, stdout } = await cli.run(['status'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^running {2}mode auto {2}generation 1/)
    expect(stdout).toMatch(/^1 +42 +0 +1 +ready +9s +42 % +82 MB \(30 %\) +40 % +12 ms +3 +900 +14 ms +12 +7$/m)
    expect(stdout).toContain('1 of 2 ready (1 to 10)')
    expect(stdout).toContain(decision.reason)
    expect(stdout).not.toContain('\u001b')
  })

  it('survives a reader that leaves before it has said anything', async ({ cli }) => {
    await cli.supervise()
    const command = spawnCli(cli.folder, ['status'])
    command.stdout.destroy()
    let stderr = ''
    command.stderr.on('data', (chunk: Buffer) => {
      stderr += String(chunk)
    })
    expect(await once(command, 'close')).toEqual([0, null])
    expect(stderr).toBe('')
  })
})

describe('explain', () => {
  it('tells what was read, the rule, what held it back and what would change it', async ({ cli }) => {
    await cli.supervise()
    const { code, stdout } = await cli.run(['explain', '--last', '1'])
    expect(code).toBe(0)
    expect(stdout).toContain('stays at 2 (wanted 3): cpu 85 % above 70 % for 60 s')
    expect(stdout).toContain('cpu  85 % (threshold 70 %), held for 60 s')
    expect(stdout).toContain('cooldown.up: 30 s of 60 s left')
    expect(stdout).toContain('30 s more of the same')
    expect(stdout).not.toContain('the older one')
    expect(stdout).not.toContain('database connections')
  })

  it('tells who may have how many database connections, and why', async ({ cli }) => {
    const why = ['18 connections for workers; 3 free', 'worker 1 may open 15 and needs 2 \u001b[31m(2 in use, 0 waiting)']
    const database = { budget: 20, share: 18, granted: 15, acknowledged: 15, inUse: 2, waiting: 0, quarantined: 0, foreign: 0, why }
    cli.control.current = { ...status, database }
    await cli.supervise()
    const { stdout } = await cli.run(['explain'])
    const lines = stdout.split('\n')
    const from = lines.indexOf('database connections') + 1
    expect(lines.slice(from, from + 2)).toEqual(why.map((line) => line.replace('\u001b', '')))
    expect(JSON.parse((await cli.run(['explain', '--json'])).stdout)).toMatchObject({ database })
  })

  it('--json gives the standing decision and the last ones, oldest first', async ({ cli }) => {
    await cli.supervise()
    const { stdout } = await cli.run(['explain', '--json'])
    const decisions = [expect.objectContaining({ reason: 'the older one' }), decision]
    expect(JSON.parse(stdout)).toEqual({ standing: decision, decisions, database: null })
  })
})

describe('explain --recording', () => {
  it('writes what the supervisor remembers into a new file that only its owner reads', async ({ cli }) => {
    await cli.supervise()
    const { code, stdout, stderr } = await cli.run(['explain', '--recording', 'incident.jsonl'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/incident\.jsonl has the fleet as it was and the 1 events since, one a line\.\n$/)
    const file = path.join(cli.folder, 'incident.jsonl')
    expect(await readFile(file, 'utf8')).toBe(`${cli.control.recorded.join('\n')}\n`)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  it('overwrites nothing, and leaves nothing where no supervisor answers', async ({ cli }) => {
    expect(await cli.run(['explain', '--recording', 'incident.jsonl'])).toMatchObject({ code: 3 })
    expect(await readdir(cli.folder)).not.toContain('incident.jsonl')
    await cli.supervise()
    await writeFile(path.join(cli.folder, 'incident.jsonl'), 'evidence')
    const { code, stderr } = await cli.run(['explain', '--recording', 'incident.jsonl'])
    expect(code).toBe(2)
    expectSentence(stderr)
    expect(stderr).toContain('exists already; name a file that does not.')
    expect(await readFile(path.join(cli.folder, 'incident.jsonl'), 'utf8')).toBe('evidence')
    const lost = await cli.run(['explain', '--recording', 'no-folder/incident.jsonl'])
    expect(lost.code).toBe(2)
    expectSentence(lost.stderr)
  })
})

describe('what changes the fleet', () => {
  it.for([
    [['scale', '4'], 'scale 4', '4 workers are ready'],
    [['scale', 'auto'], 'scale auto', 'auto workers are ready'],
    [['reload'], 'reload', 'generation 2 is serving: 2 workers were replaced'],
    [['drain', '7'], 'drain 7', 'worker 7 is draining'],
    [['budget', '40'], 'budget 40', 'the budget is 40 connections now'],
  ] as const)('%s', async ([words, asked, sentence], { cli }) => {
    await cli.supervise()
    expect(await cli.run(words)).toEqual({ code: 0, stdout: `${sentence}\n`, stderr: '' })
    expect(cli.control.asked).toEqual([asked])
  })

  it.for([
    [new StationmasterError('SM_RELOAD_FAILED', 'application', 'Reload aborted: it threw.'), 1],
    [new StationmasterError('SM_RELOAD_BUSY', 'environment', 'A reload is under way.'), 1],
    [new StationmasterError('SM_STOPPING', 'environment', 'The supervisor is stopping.'), 1],
    [new StationmasterError('SM_WORKER_UNKNOWN', 'option', 'There is no worker 9.'), 2],
  ] as const)('%s', async ([error, code], { cli }) => {
    await cli.supervise()
    cli.control.refuse = error
    expect(await cli.run(['reload'])).toEqual({ code, stdout: '', stderr: `${error.message}\n` })
  })

  it('steers no terminal with what an app has written', async ({ cli }) => {
    await cli.supervise()
    cli.control.refuse = new StationmasterError('SM_RELOAD_FAILED', 'application', 'Its last line: \u001b]0;owned\u0007\u009b2J.')
    expect((await cli.run(['reload'])).stderr).toBe('Its last line: ]0;owned2J.\n')
  })
})

describe('which supervisor', () => {
  it.for([['status'], ['scale', '4'], ['reload'], ['drain', '1'], ['budget', '40'], ['explain']])('none: %s exits 3', async (words, { cli }) => {
    const { code, stdout, stderr } = await cli.run(words)
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expectSentence(stderr)
    expect(stderr).toContain(`No supervisor listens on ${path.join(cli.folder, '.stationmaster/control.sock')}.`)
  })

  it('the one that --control names', async ({ cli }) => {
    await cli.supervise('other.sock')
    expect((await cli.run(['scale', '2', '--control', 'other.sock'])).code).toBe(0)
    expect((await cli.run(['scale', '2'])).code).toBe(3)
  })

  it('the one that the config file names', async ({ cli }) => {
    await writeFile(
      path.join(cli.folder, 'stationmaster.config.json'),
      JSON.stringify({ entry: 'server.js', control: { socket: 'configured.sock' } }),
    )
    await cli.supervise('configured.sock')
    expect((await cli.run(['reload'])).code).toBe(0)
  })

  it('the usual one when the config file is broken', async ({ cli }) => {
    await writeFile(path.join(cli.folder, 'stationmaster.config.json'), '{')
    await cli.supervise()
    expect((await cli.run(['reload'])).code).toBe(0)
  })
})

import { once } from 'node:events'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import { describe, expect } from 'vitest'
import { expectSentence, it } from './harness.ts'
import { runHere } from './in-process.ts'

/** What scripts of others are written against. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  start: ['[entry]', '--config <', '--min <n>', '--max <n>', '--shadow', '--control <', '--admin <host:port>', '--log <', ' -- '],
  status: ['--json', '--control <'],
  scale: ['<n|auto>', '--control <'],
  reload: ['--control <'],
  drain: ['<worker id>', '--control <'],
  budget: ['<connections>', '--control <'],
  explain: ['--last <n>', '--json', '--recording <', '--control <'],
  top: ['--control <'],
  check: ['[entry]', '--config <', '--json'],
  init: ['--railway'],
  simulate: ['[scenario.json|trace.csv|journal.jsonl]', '--config <', '--seed <n>', '--json', '--compare', '--report <', '--fuzz <n>'],
}

describe('usage', () => {
  it.for([
    [['stauts'], 'did you mean status?'],
    [['status', '--jsn'], 'did you mean --json?'],
    [['status', 'extra'], 'too many arguments'],
    [['scale'], 'missing required argument'],
    [['scale', 'many'], 'expected the number of workers, or "auto"'],
    [['scale', '0'], 'expected the number of workers, or "auto"'],
    [['scale', '-1'], 'expected the number of workers, or "auto"'],
    [['reload', '--now'], 'unknown option'],
    [['scale', '1.5'], 'expected the number of workers, or "auto"'],
    [['drain'], 'missing required argument'],
    [['drain', 'first'], 'expected the id of a worker'],
    [['explain', '--last', '0'], 'from 1 to 1000'],
    [['explain', '--last'], 'argument missing'],
    [['top'], 'needs a terminal'],
    [['status', '--', 'x'], 'only `start` takes arguments after --'],
    [['start', 'a.js', 'b.js'], 'too many arguments'],
    [['start', 'a.js', '--max'], 'argument missing'],
  ] as const)('%s is refused with a sentence, exit 2', async ([words, part], { cli }) => {
    await cli.supervise()
    const { code, stdout, stderr } = await runHere(cli.folder, words)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expectSentence(stderr)
    expect(stderr.toLowerCase()).toContain(part.toLowerCase())
    expect(cli.control.asked).toEqual([])
  })

  it('a real process does the same', async ({ cli }) => {
    const { code, stdout, stderr } = await cli.run(['stauts'])
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: "Unknown command 'stauts'; did you mean status?\n" })
  })

  it('nothing at all prints the help, exit 2', async ({ cli }) => {
    const { code, stdout, stderr } = await runHere(cli.folder, [])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^Usage: stationmaster/)
  })

  it.for([['--help'], ['help'], ['help', 'start'], ['start', '--help']])('%s prints the help, exit 0', async (words, { cli }) => {
    const { code, stdout, stderr } = await runHere(cli.folder, words)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^Usage: stationmaster/)
  })

  it('--help lists every command, and the exit codes', async ({ cli }) => {
    const { stdout } = await runHere(cli.folder, ['--help'])
    const listed = [...stdout.matchAll(/^ {2}(\w+) .*/gm)].map(([, command]) => command)
    for (const command of Object.keys(COMMANDS)) expect(listed).toContain(command)
    expect(stdout).toContain('Exit codes: 0 done, 1 the app failed, 2 usage or configuration, 3 no supervisor to talk to.')
  })

  it.for(Object.entries(COMMANDS))('%s --help has what it takes', async ([command, words], { cli }) => {
    const { code, stdout } = await runHere(cli.folder, [command, '--help'])
    expect(code).toBe(0)
    for (const word of words) expect(stdout).toContain(word)
  })

  it('--version prints the version of the package', async ({ cli }) => {
    const source = await readFile(new URL('../../packages/supervisor/package.json', import.meta.url), 'utf8')
    const { version } = JSON.parse(source) as { version: string }
    expect(await cli.run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })
})

describe('start refuses before anything is forked, exit 2:', () => {
  it.for([
    ['no entry', [], 'entry is missing'],
    ['an entry that is not there', ['gone.js'], 'does not exist'],
    ['an entry that is a folder', ['.'], 'is not a file'],
    ['a bad flag, by its name', ['server.js', '--max', '0'], '--max 0'],
    ['a flag that contradicts another', ['server.js', '--min', '3', '--max', '2'], '2'],
    ['a bad log format', ['server.js', '--log', 'xml'], '--log xml'],
    ['a bad admin address', ['server.js', '--admin', 'nonsense'], '--admin nonsense'],
    ['a config file that is not there', ['--config', 'gone.config.ts'], 'gone.config.ts'],
    ['a control socket that is a file', ['server.js', '--control', 'server.js'], 'no socket'],
  ] as const)('%s', async ([, words, part], { cli }) => {
    // It would leave its mark if it ever ran.
    await writeFile(path.join(cli.folder, 'server.js'), `require('node:fs').writeFileSync('ran', '')`)
    const { code, stderr } = await cli.run(['start', ...words])
    expect(code).toBe(2)
    expect(stderr).toContain(part)
    expect(stderr).not.toMatch(/\n\s+at |node:internal/)
    await expect(readFile(path.join(cli.folder, 'ran'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('a control socket that another supervisor has, with its pid', async ({ cli }) => {
    await cli.supervise()
    await writeFile(path.join(cli.folder, 'server.js'), `require('node:fs').writeFileSync('ran', '')`)
    const { code, stderr } = await cli.run(['start', 'server.js'])
    expect(code).toBe(2)
    expect(stderr).toContain(`(pid ${process.pid})`)
    await expect(readFile(path.join(cli.folder, 'ran'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('an admin port that is taken, and leaves no control socket behind', async ({ cli }) => {
    const holder = net.createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port } = holder.address() as net.AddressInfo
    await writeFile(path.join(cli.folder, 'server.js'), `require('node:fs').writeFileSync('ran', '')`)
    const { code, stderr } = await cli.run(['start', 'server.js', '--control', 'own.sock', '--admin', `127.0.0.1:${port}`])
    expect(code).toBe(2)
    expect(stderr).toContain(`The admin server cannot listen on 127.0.0.1:${port}: the port is taken.`)
    expect(await readdir(cli.folder)).toEqual(['server.js'])
    await new Promise((resolve) => holder.close(resolve))
  })
})

describe('a promise of the config file that nobody waits for and that fails is told in one sentence, exit 1:', () => {
  it.for([['check'], ['status'], ['explain'], ['start']])('%s', async (words, { cli }) => {
    await writeFile(path.join(cli.folder, 'server.js'), `require('node:fs').writeFileSync('ran', '')`)
    const config = `Promise.reject(new Error('later'))\nexport default { entry: './server.js' }`
    await writeFile(path.join(cli.folder, 'stationmaster.config.mjs'), config)
    expect(await cli.run(words)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Something failed that nobody caught, in the config file or in stationmaster itself: later\n',
    })
    expect(await readdir(cli.folder)).not.toContain('ran')
  })
})

import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { StationmasterError } from '../../packages/supervisor/src/errors.ts'
import { loadOptional } from '../../packages/supervisor/src/worker/optional-package.ts'

const file = fileURLToPath(new URL('./fixtures/unsupervised.mjs', import.meta.url))

/** A process of its own, as `node server.js` would be. */
class Plain {
  readonly #process: ChildProcessByStdio<null, Readable, Readable>
  readonly #ended: Promise<unknown[]>
  said = ''
  complained = ''

  constructor(env: Record<string, string>, execArgv: readonly string[]) {
    this.#process = spawn(process.execPath, ['--no-warnings', ...execArgv, file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    })
    this.#ended = once(this.#process, 'close')
    this.#process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.said += text
    })
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.complained += text
    })
  }

  async begun(): Promise<void> {
    while (!this.said.includes('supervised')) await Promise.race([once(this.#process.stdout, 'data'), this.#ended])
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  async end(): Promise<{ code: unknown; signal: unknown; lines: unknown[] }> {
    const [code, signal] = await this.#ended
    return {
      code,
      signal,
      lines: this.said
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    }
  }
}

const it = test.extend<{ run: (env?: Record<string, string>, execArgv?: readonly string[]) => Promise<Plain> }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern to see that nothing else is needed
  run: async ({}, use) => {
    const all: Plain[] = []
    await use(async (env = {}, execArgv = []) => {
      const plain = new Plain(env, execArgv)
      all.push(plain)
      await plain.begun()
      return plain
    })
    for (const plain of all) plain.kill('SIGKILL')
  },
})

/** The pool is pg's own, without a lease that could hold it back. */
const BEGUN = { supervised: false, isPlain: true, lease: null }

describe('stationmaster/worker without a supervisor', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`does nothing until ${signal}, runs the hooks then, ends the pools, and ends as that signal ends a process`, async ({ run }) => {
      const plain = await run()
      plain.kill(signal)
      expect(await plain.end()).toEqual({ code: null, signal, lines: [BEGUN, 'first hook', 'last hook', 'pool ends'] })
      expect(plain.complained).toMatch(/^stationmaster: an onDrain hook failed: Error: no more\n/)
    })
  }

  it('leaves the exit and the pools to an app that listens for the signal', async ({ run }) => {
    const plain = await run({ LISTENS: 'yes' })
    plain.kill('SIGTERM')
    expect(await plain.end()).toEqual({ code: 4, signal: null, lines: [BEGUN, 'the listener of the app', 'first hook', 'last hook'] })
  })

  it('is not fooled by an environment or a preload that somebody left behind', async ({ run }) => {
    const register = new URL('../../packages/supervisor/src/register.ts', import.meta.url).href
    const plain = await run({ STATIONMASTER_ROLE: 'worker', NODE_UNIQUE_ID: '7' }, ['--import', register])
    plain.kill('SIGTERM')
    expect((await plain.end()).lines[0]).toEqual(BEGUN)
  })
})

describe('a package that is missing', () => {
  test('is named, with who needs it and what to do', () => {
    const load = (): unknown => loadOptional('no-such-package-anywhere', 'createPool()')
    expect(load).toThrow(StationmasterError)
    expect(load).toThrow(expect.objectContaining({ code: 'SM_PACKAGE_MISSING', fault: 'application' }))
    expect(load).toThrow(
      'createPool() needs the package no-such-package-anywhere, which could not be loaded. Add it to the dependencies of the application.',
    )
    expect(load).toThrow(expect.not.objectContaining({ cause: expect.anything() }))
  })

  test('that is there and cannot be loaded is told with the cause', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'stationmaster-'))
    const broken = path.join(folder, 'broken.cjs')
    await writeFile(broken, `require('no-such-package-below')`)
    const load = (): unknown => loadOptional(broken, 'createPool()')
    expect(load).toThrow(expect.objectContaining({ code: 'SM_PACKAGE_MISSING', cause: expect.objectContaining({ code: 'MODULE_NOT_FOUND' }) }))
    await rm(folder, { recursive: true })
  })
})

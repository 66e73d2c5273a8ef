import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const HOST = fileURLToPath(new URL('./fixtures/host.ts', import.meta.url))
const LONGEST_LIFE_MS = 20_000

type Line = { readonly what: string; readonly value?: unknown; readonly code?: string }

interface Life {
  readonly code: number | null
  readonly signal: string | null
  readonly lines: readonly Line[]
  readonly stderr: string
}

interface LifeOptions {
  readonly host?: string
  readonly entry?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly signalAfterStart?: NodeJS.Signals
}

/** Runs the host program until it ends by itself, and sees to it that it leaves nothing behind. */
async function live(deed: string, options: LifeOptions = {}): Promise<Life> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sm-library-'))
  const words = [options.host ?? HOST, folder, deed, ...(options.entry === undefined ? [] : [options.entry])]
  const env = { ...process.env, ...options.environment }
  const host = spawn(process.execPath, words, { env, stdio: ['ignore', 'ignore', 'pipe'], timeout: LONGEST_LIFE_MS, killSignal: 'SIGKILL' })
  let stderr = ''
  host.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    if (options.signalAfterStart && stderr.includes('"start"')) host.kill(options.signalAfterStart)
  })
  const [code, signal] = (await once(host, 'close')) as [number | null, string | null]
  const left = await readdir(folder)
  await rm(folder, { recursive: true, force: true })
  expect(left).toEqual([])
  const lines = stderr.split('\n').flatMap((line) => (line.startsWith('{"what"') ? [JSON.parse(line) as Line] : []))
  return { code, signal, lines, stderr }
}

/** Names itself as the app to supervise. */
const SELFISH = fileURLToPath(new URL('./fixtures/supervises-itself.ts', import.meta.url))

const SETTLED = { what: 'start', value: null }
const STOPPED = { what: 'stop', value: null }

describe('a supervisor as a library', () => {
  test('ends with its process after stop(), and what is asked then is refused', async () => {
    const { code, lines } = await live('start and stop')
    const refused = ['start', 'scale', 'reload', 'drain'].map((what) => ({ what, code: 'SM_STOPPING' }))
    expect(lines).toEqual([SETTLED, STOPPED, { what: 'left', value: [] }, ...refused])
    expect(code).toBe(0)
  })

  test('is started once, however often it is told so', async () => {
    const { code, lines } = await live('start twice')
    expect(lines).toEqual([SETTLED, SETTLED, SETTLED, { what: 'workers', value: 1 }, STOPPED])
    expect(code).toBe(0)
  })

  test('has started when workers.min are ready, not when the first one is', async () => {
    const { code, lines } = await live('start two', { entry: 'waits-second.mjs' })
    expect(lines).toEqual([{ what: 'one is ready', value: { slot: 0, isStarted: false } }, { what: 'ready', value: 2 }, STOPPED])
    expect(code).toBe(0)
  })

  test('tells of each change of size to who listens, is by hand until auto, and remembers what was decided', async () => {
    const { code, lines } = await live('tell of sizes')
    const [grown, shrunk] = [
      { from: 1, to: 3, lane: 'manual' },
      { from: 3, to: 2, lane: 'manual' },
    ]
    expect(lines).toEqual([
      SETTLED,
      { what: 'scale', value: '3 workers are ready' },
      { what: 'mode', value: 'manual' },
      { what: 'scale', value: '2 workers are ready' },
      { what: 'scaled', value: [{ from: 1, to: 3, reason: 'by hand' }] },
      { what: 'scale', value: expect.any(String) },
      { what: 'mode', value: 'auto' },
      { what: 'decisions', value: [[shrunk], [grown, shrunk]] },
      STOPPED,
    ])
    expect(code).toBe(0)
  })

  test('rejects a reload to a release that does not start, keeps the workers it has, and takes the next release', async () => {
    const { code, lines } = await live('reload to a bad release')
    const kept = [{ id: 1, generation: 1, state: 'ready' }]
    expect(lines).toEqual([
      SETTLED,
      { what: 'reload', code: 'SM_RELOAD_FAILED' },
      { what: 'workers', value: [kept, kept] },
      { what: 'reload', value: expect.stringMatching(/^generation \d is serving: 1 worker was replaced/) },
      STOPPED,
    ])
    expect(code).toBe(0)
  })

  test('says the same as its control socket', async () => {
    const { code, lines } = await live('compare')
    expect(lines.slice(2)).toEqual([{ what: 'same status', value: true }, { what: 'same decisions', value: true }, STOPPED])
    expect(code).toBe(0)
  })

  test('that was stopped before it was started starts nothing', async () => {
    const { code, lines } = await live('stop first')
    expect(lines).toEqual([STOPPED, { what: 'start', code: 'SM_STOPPING' }, STOPPED])
    expect(code).toBe(0)
  })

  test('may be stopped while it starts', async () => {
    const { code, lines } = await live('stop at once')
    expect(lines).toHaveLength(2)
    expect(lines).toContainEqual(STOPPED)
    expect(lines).toContainEqual({ what: 'start', code: 'SM_START_FAILED' })
    expect(code).toBe(0)
  })

  test('forks nothing before start(), whatever it is asked, and says so', async () => {
    const { code, lines } = await live('ask first')
    const refused = ['scale', 'reload', 'drain'].map((what) => ({ what, code: 'SM_NOT_STARTED' }))
    expect(lines).toEqual([...refused, { what: 'status', value: { uptimeS: 0, workers: [] } }, STOPPED])
    expect(code).toBe(0)
  })

  test('whose entry is missing leaves nothing that keeps the process', async () => {
    const { code, lines } = await live('only start', { entry: 'no-such-file.mjs' })
    expect(lines).toEqual([{ what: 'start', code: 'SM_ENTRY_MISSING' }])
    expect(code).toBe(0)
  })

  test('whose app does not start ends with code 1, and no back-off keeps the process', async () => {
    const { code, lines } = await live('only start', { entry: 'throws.mjs' })
    expect(lines).toEqual([{ what: 'start', code: 'SM_START_FAILED' }])
    expect(code).toBe(1)
  })

  test('ends though a slot backs off', async () => {
    const { code, lines } = await live('stop a slot that waits')
    expect(lines).toEqual([SETTLED, STOPPED])
    expect(code).toBe(0)
  })

  test('drains and ends at SIGTERM', async () => {
    const { code, signal, lines } = await live('only start', { signalAfterStart: 'SIGTERM' })
    expect(lines).toEqual([SETTLED])
    expect({ code, signal }).toEqual({ code: 0, signal: null })
  })

  test('outlives listeners that throw or reject, and tells of both', async () => {
    const { code, lines, stderr } = await live('bad listeners')
    expect(lines).toEqual([SETTLED, { what: 'scale', value: '2 workers are ready' }, STOPPED])
    expect(stderr).toContain('a listener of worker:ready failed: Error: thrown')
    expect(stderr).toContain('a listener of fleet:running failed: Error: rejected')
    expect(code).toBe(0)
  })

  for (const garbage of ['bytes', 'forgery']) {
    test(`outlives a worker that sends garbage (${garbage})`, async () => {
      const { code, lines } = await live('hear garbage', { entry: 'garbles.mjs', environment: { GARBAGE: garbage } })
      expect(lines).toHaveLength(4)
      expect(lines).toContainEqual({ what: 'warning', value: expect.stringMatching(/^Worker 1 sent something that is no message \(/) })
      expect(lines.slice(2)).toEqual([{ what: 'scale', value: '2 workers are ready' }, STOPPED])
      expect(code).toBe(0)
    })
  }

  test('may stand beside another one in the same process', async () => {
    const { code, lines } = await live('two fleets')
    expect(lines).toMatchObject([
      SETTLED,
      SETTLED,
      { what: 'scale', value: '2 workers are ready' },
      { what: 'reload', value: expect.stringContaining('1 worker was replaced') },
      { what: 'workers', value: [1, 2] },
      STOPPED,
      { what: 'workers', value: [1, 0] },
      STOPPED,
    ])
    expect(code).toBe(0)
  })

  test('leaves no more listeners on stdout and stderr for being made often', async () => {
    const { code, lines } = await live('many')
    expect(lines).toEqual([{ what: 'listeners', value: 0 }])
    expect(code).toBe(0)
  })

  test('is refused in a worker, in words that name the mistake', async () => {
    const { code, lines } = await live('', { host: SELFISH })
    expect(lines).toEqual([{ what: 'start', value: expect.stringContaining('createSupervisor() was called in a worker. `entry` must be') }])
    expect(code).toBe(1)
  })
})

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { createMeasurer, type Measured } from '../../packages/supervisor/src/primary/measure.ts'

const processes = new Set<ChildProcess>()

function start(command: string, args: readonly string[]): ChildProcess & { pid: number } {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  processes.add(child)
  child.once('exit', () => processes.delete(child))
  return child as ChildProcess & { pid: number }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

afterEach(async () => {
  await Promise.all([...processes].map(end))
})

const BUSY = `for (let end = 0; ; end++) if (end === 1e6) process.stdout.write('busy')`

/** Measures until the answer is what a test waits for; it has as long as the test has. */
async function askUntil<Value>(ask: () => Promise<Value>, fits: (value: Value) => boolean): Promise<Value> {
  for (;;) {
    const value = await ask()
    if (fits(value)) return value
    await pause(120)
  }
}

test('a busy process: memory at once, CPU from the second measurement on', async () => {
  const child = start(process.execPath, ['-e', BUSY])
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  const measurer = createMeasurer()
  const measure = async () => (await measurer.measure([{ workerId: 7, pid: child.pid }])).get(7)
  const first = await measure()
  expect(first?.cpu).toBeNull()
  expect(first?.memoryBytes).toBeGreaterThan(10e6)
  expect(first?.memoryBytes).toBeLessThan(1e9)
  const second = await askUntil(measure, (measured) => (measured?.cpu ?? 0) > 0)
  expect(second?.cpu).toBeLessThan(3)
  measurer.close()
})

test('the dead are absent, the others are measured all the same', async () => {
  const [dead, alive] = [start('sleep', ['60']), start('sleep', ['60'])]
  const measurer = createMeasurer()
  const workers = [
    { workerId: 1, pid: dead.pid },
    { workerId: 2, pid: alive.pid },
    { workerId: 3, pid: 2 ** 30 },
  ]
  expect([...(await measurer.measure(workers)).keys()]).toEqual([1, 2])
  await end(dead)
  const measured = await measurer.measure(workers)
  expect([...measured.keys()]).toEqual([2])
  expect(measured.get(2)?.memoryBytes).toBeGreaterThan(0)
  measurer.close()
})

test('a process that has ended and that nobody has asked about is dead too', async () => {
  // The shell becomes a sleep that knows nothing of the child it got.
  const parent = start('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'])
  const [line] = (await once(parent.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  const zombie = Number(line.toString())
  const read = (pid: number, file: string) => async () => await readFile(`/proc/${pid}/${file}`, 'utf8')
  await askUntil(read(parent.pid, 'cmdline'), (command) => command.startsWith('sleep'))
  process.kill(zombie, 'SIGKILL')
  await askUntil(read(zombie, 'stat'), (stat) => stat.includes(') Z '))
  const measurer = createMeasurer()
  expect((await measurer.measure([{ workerId: 1, pid: zombie }])).size).toBe(0)
  measurer.close()
})

test('nothing to measure, and nothing after close', async () => {
  const measurer = createMeasurer()
  expect(await measurer.measure([])).toEqual(new Map())
  measurer.close()
  const unknown = new Map([[1, { cpu: null, memoryBytes: null }]])
  expect(await measurer.measure([{ workerId: 1, pid: process.pid }])).toEqual(unknown)
})

/** The files of processes that pidusage holds open. */
async function openStatFiles(): Promise<number> {
  const names = await readdir('/proc/self/fd')
  const targets = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')))
  return targets.filter((target) => /^\/proc\/\d+\/stat$/.test(target)).length
}

test('a thousand lives leave no file open', async () => {
  const before = await openStatFiles()
  const measurer = createMeasurer()
  for (let round = 0; round < 50; round++) {
    const children = Array.from({ length: 20 }, () => start('sleep', ['60']))
    const measured = await measurer.measure(children.map(({ pid }, index) => ({ workerId: index, pid })))
    expect(measured.size).toBe(20)
    await Promise.all(children.map(end))
    for (const { pid } of children) measurer.forget(pid)
  }
  // This process lives on and is measured on, as the workers of a fleet would be: that must not keep the files of the dead.
  const open = await askUntil(
    async () => {
      await measurer.measure([{ workerId: 1, pid: process.pid }])
      return await openStatFiles()
    },
    (count) => count <= before + 1,
  )
  expect(open).toBeLessThanOrEqual(before + 1)
  measurer.close()
})

test('without getconf nothing is printed', async () => {
  const script = `
    import { createMeasurer } from ${JSON.stringify(new URL('../../packages/supervisor/src/primary/measure.ts', import.meta.url).href)}
    process.env.PATH = '/nowhere'
    const measured = await createMeasurer().measure([{ workerId: 1, pid: process.pid }])
    process.stdout.write(String(measured.get(1).memoryBytes > 0))`
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: new URL('../../packages/supervisor/', import.meta.url),
  })
  processes.add(child)
  const texts = await Promise.all([child.stdout, child.stderr].map(async (stream) => (await stream.toArray()).join('')))
  expect(texts).toEqual(['true', ''])
  processes.delete(child)
})

/** A system that does what the test says. */
function fakeSystem() {
  const system = {
    now: 0,
    births: new Map<number, string | null>(),
    readings: {} as Record<string, { ctime: number; memory: number } | undefined>,
    read: vi.fn(async (_pids: number[]) => system.readings),
    birth: (pid: number) => system.births.get(pid) ?? null,
    nowMs: () => system.now,
  }
  return system
}

const ONE = [{ workerId: 1, pid: 50 }]

test('CPU is the share of one core between two measurements, and a short interval repeats the last one', async () => {
  const system = fakeSystem()
  const measurer = createMeasurer(system)
  system.births.set(50, 'a')
  const at = async (now: number, ctime: number) => {
    system.now = now
    system.readings = { 50: { ctime, memory: 5 } }
    return (await measurer.measure(ONE)).get(1)?.cpu
  }
  expect(await at(0, 1000)).toBeNull()
  expect(await at(1000, 1420)).toBe(0.42)
  expect(await at(1010, 1430)).toBe(0.42)
  expect(await at(2000, 3920)).toBe(2.5)
})

test('a new process with an old pid waits until the old one is forgotten everywhere, and begins anew', async () => {
  const system = fakeSystem()
  const measurer = createMeasurer(system)
  system.births.set(50, 'first')
  system.readings = { 50: { ctime: 9000, memory: 5 } }
  await measurer.measure(ONE)
  system.births.set(50, 'second')
  system.now = 1000
  measurer.forget(50)
  expect((await measurer.measure(ONE)).get(1)).toEqual({ cpu: null, memoryBytes: null })
  expect(system.read).toHaveBeenCalledTimes(1)

  system.now = 10_000
  system.readings = { 50: { ctime: 9500, memory: 6 } }
  expect((await measurer.measure(ONE)).get(1)).toEqual({ cpu: null, memoryBytes: 6 })
  system.now = 11_000
  system.readings = { 50: { ctime: 10_000, memory: 6 } }
  expect((await measurer.measure(ONE)).get(1)?.cpu).toBe(0.5)
})

test('a pid that gives no answer though its process lives is left alone for a while', async () => {
  const system = fakeSystem()
  const measurer = createMeasurer(system)
  system.births.set(50, 'a').set(51, 'b')
  system.readings = { 51: { ctime: 1, memory: 7 } }
  const both = [...ONE, { workerId: 2, pid: 51 }]
  const unknown = { cpu: null, memoryBytes: null }
  expect(await measurer.measure(both)).toEqual(
    new Map<number, Measured>([
      [1, unknown],
      [2, { cpu: null, memoryBytes: 7 }],
    ]),
  )
  system.now = 1000
  await measurer.measure(both)
  expect(system.read).toHaveBeenLastCalledWith([51])
  system.now = 8000
  await measurer.measure(both)
  expect(system.read).toHaveBeenLastCalledWith([50, 51])
})

test('numbers that are none are not known, and a rejected reading spoils nothing', async () => {
  const system = fakeSystem()
  const measurer = createMeasurer(system)
  system.births.set(50, 'a')
  system.readings = { 50: { ctime: Number.NaN, memory: Number.NaN } }
  const unknown = new Map([[1, { cpu: null, memoryBytes: null }]])
  expect(await measurer.measure(ONE)).toEqual(unknown)
  system.now = 10_000
  system.read.mockRejectedValueOnce(new Error('no ps here'))
  expect(await measurer.measure(ONE)).toEqual(unknown)
})

test('a system that never answers holds up nobody, and is not asked again meanwhile', async () => {
  const system = fakeSystem()
  const measurer = createMeasurer(system)
  system.births.set(50, 'a')
  let answer = (_readings: typeof system.readings): void => {}
  system.read.mockImplementationOnce(
    () =>
      new Promise<typeof system.readings>((resolve) => {
        answer = resolve
      }),
  )
  const unknown = new Map([[1, { cpu: null, memoryBytes: null }]])
  expect(await measurer.measure(ONE)).toEqual(unknown)
  expect(await measurer.measure(ONE)).toEqual(unknown)
  expect(system.read).toHaveBeenCalledTimes(1)

  answer({ 50: { ctime: 1, memory: 9 } })
  system.readings = { 50: { ctime: 2, memory: 9 } }
  const again = await askUntil(
    async () => (await measurer.measure(ONE)).get(1),
    (measured) => measured?.memoryBytes === 9,
  )
  expect(again?.memoryBytes).toBe(9)
})

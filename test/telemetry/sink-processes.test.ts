import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'

const processes = new Set<ChildProcess>()

afterEach(() => {
  for (const child of processes) child.kill('SIGKILL')
  processes.clear()
})

function start(fixture: string, stdout: 'pipe' | number) {
  const file = fileURLToPath(new URL(`./fixtures/${fixture}`, import.meta.url))
  const child = spawn(process.execPath, ['--no-warnings', '--expose-gc', file], { stdio: ['ignore', stdout, 'pipe', 'ipc'] })
  processes.add(child)
  const stderr = (child.stderr as NonNullable<typeof child.stderr>).toArray()
  return { child, exited: once(child, 'exit'), stderr: async () => (await stderr).join('') }
}

const message = async (child: ChildProcess): Promise<unknown> => ((await once(child, 'message')) as [unknown])[0]

/** Resolves when the text that a stream gives holds `text`, with all of it. */
async function hear(stream: NodeJS.ReadableStream, text: string): Promise<string> {
  let heard = ''
  while (!heard.includes(text)) {
    const [chunk] = (await once(stream, 'data')) as [Buffer]
    heard += chunk.toString()
  }
  return heard
}

test('a pipe that nobody reads: 50 MB of lines take no memory, and the process ends', async () => {
  const { child, exited, stderr } = start('floods.ts', 'pipe')
  const told = (await message(child)) as { grownBytes: number; unreadBytes: number; flushed: boolean }
  expect(told.grownBytes).toBeLessThan(10e6)
  expect(told.unreadBytes).toBeLessThan(200_000)
  expect(told.flushed).toBe(false)
  expect(await exited).toEqual([0, null])
  expect(await stderr()).toBe('')
})

test('a pipe whose reader has gone: the process lives on, asks again, and ends by itself', async () => {
  const { child, exited, stderr } = start('outlives-reader.ts', 'pipe')
  const stdout = child.stdout as NonNullable<typeof child.stdout>
  await hear(stdout, 'line')
  stdout.destroy()
  expect(await message(child)).toEqual({ code: 'EPIPE' })
  expect(await message(child)).toEqual({ code: 'EPIPE' })
  child.send('end')
  expect(await message(child)).toEqual({ flushed: false })
  expect(await exited).toEqual([0, null])
  expect(await stderr()).toBe('')
})

test('a full disk: the process lives on', async () => {
  const full = openSync('/dev/full', 'w')
  const { child, exited, stderr } = start('outlives-reader.ts', full)
  closeSync(full)
  expect(await message(child)).toEqual({ code: 'ENOSPC' })
  child.send('end')
  expect(await message(child)).toEqual({ flushed: false })
  expect(await exited).toEqual([0, null])
  expect(await stderr()).toBe('')
})

test('a reader that comes back is told how many lines it missed', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stationmaster-log-'))
  const pipe = path.join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const openReader = () => new Socket({ fd: openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK), readable: true })
  const first = openReader()
  const writeEnd = openSync(pipe, 'w')
  const { child, exited } = start('outlives-reader.ts', writeEnd)
  closeSync(writeEnd)
  await hear(first, 'line 0')
  first.destroy()
  expect(await message(child)).toEqual({ code: 'EPIPE' })

  const second = openReader()
  const heard = await hear(second, '"line ')
  const [told] = heard.split('\n')
  expect(JSON.parse(told ?? '')).toMatchObject({ level: 'warn', lost: expect.any(Number), msg: expect.stringContaining('lost') })
  const ending = message(child)
  second.resume()
  child.send('end')
  expect(await ending).toEqual({ flushed: true })
  expect(await exited).toEqual([0, null])
  second.destroy()
  rmSync(folder, { recursive: true })
})

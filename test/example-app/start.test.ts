import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { familyOf, isAlive, kill } from '../../packages/example-app/src/services/process-table.ts'
import { freePort, until } from './processes.ts'

const startFile = fileURLToPath(new URL('../../packages/example-app/src/start.ts', import.meta.url))

type Started = { readonly pid: number; readonly url: string; readonly family: number[]; output(): string; readonly code: Promise<number | null> }

let family: number[] = []
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'start-test-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
  for (const pid of family.filter(isAlive)) kill(pid, 'SIGKILL')
})

/** `npm start` without npm; resolves when the app answers. */
async function start(env: Readonly<Record<string, string>>): Promise<Started> {
  // A control socket of its own: somebody may be running the example app in its usual place.
  const child = spawn(process.execPath, [startFile, '--control', join(folder, 'control.sock')], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const code = once(child, 'exit').then(([exitCode]) => exitCode as number | null)
  await until(
    'npm start says where the app is',
    () => {
      if (child.exitCode !== null) throw new Error(`npm start ended: ${output}`)
      return output.includes('The app is at http')
    },
    60_000,
  )
  const pid = child.pid ?? 0
  family = familyOf(pid)
  return { pid, family, url: /The app is at (http\S+)\./.exec(output)?.[1] ?? '', output: () => output, code }
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s to the script alone ends it, the fleet and the databases',
  async (signal) => {
    const port = await freePort()
    const started = await start({ PORT: String(port) })
    expect(started.url).toBe(`http://127.0.0.1:${port}`)
    expect((await fetch(`${started.url}/notes`)).status).toBe(200)
    expect(started.family.length).toBeGreaterThan(3)
    process.kill(started.pid, signal)
    expect(await started.code).toBe(0)
    expect(started.family.filter(isAlive)).toEqual([])
  },
  90_000,
)

test('SIGKILL to the script leaves nothing alive', async () => {
  const started = await start({ PORT: String(await freePort()) })
  process.kill(started.pid, 'SIGKILL')
  await until('everything is gone', () => started.family.every((pid) => !isAlive(pid)), 40_000)
}, 120_000)

test('takes the next port when the wanted one is taken, and says so', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const started = await start({ PORT: String(port) })
  expect(started.output()).toContain(`Port ${port} is taken`)
  expect(started.url).not.toContain(`:${port}`)
  expect((await fetch(`${started.url}/health`)).status).toBe(200)
  other.close()
  process.kill(started.pid, 'SIGTERM')
  expect(await started.code).toBe(0)
}, 90_000)

test.each(['abc', '0', '65536', '80.5'])('PORT=%s is refused in a sentence, and nothing is started', async (port) => {
  const child = spawn(process.execPath, [startFile], { env: { ...process.env, PORT: port }, stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  expect((await once(child, 'close'))[0]).toBe(1)
  expect(text).toBe(`PORT must be a whole number from 1 to 65535, and is ${port}.\n`)
})

import { once } from 'node:events'
import { expect } from 'vitest'
import { status } from '../operator/fake-control.ts'
import { hasTerminals, it, spawnOnTerminal } from './harness.ts'
import { fakeTerminal, runHere } from './in-process.ts'
import { follow } from './started.ts'

const [ENTER, LEAVE] = ['\u001b[?1049h', '\u001b[?1049l']
const terminal = (print: string[]) => ({
  isTerminal: true,
  paint: (_: unknown, text: string) => text,
  print: () => {},
  complain: (text: string) => void print.push(text),
})

async function shows(screen: () => string, stdout: NodeJS.WriteStream, text: string): Promise<void> {
  while (!screen().includes(text)) await once(stdout, 'data')
}

it.for(['q', 'Q', '\u0003'])('redraws until the key %j, and leaves the terminal as it was', async (key, { cli }) => {
  await cli.supervise()
  const { streams, screen, raw } = fakeTerminal()
  const running = runHere(cli.folder, ['top'], { ...streams, terminal: terminal([]) })
  await shows(screen, streams.stdout, 'mode auto')
  expect(raw()).toBe(true)
  cli.control.current = { ...status, mode: 'manual' }
  await shows(screen, streams.stdout, 'mode manual')
  streams.stdin.push(key)
  expect((await running).code).toBe(0)
  expect(raw()).toBe(false)
  expect(screen().startsWith(ENTER)).toBe(true)
  expect(screen().endsWith(LEAVE)).toBe(true)
  expect(streams.stdin.listenerCount('data')).toBe(0)
})

it('restores the terminal, then tells, when the supervisor goes away', async ({ cli }) => {
  const server = await cli.supervise()
  const { streams, screen, raw } = fakeTerminal()
  const complaints: string[] = []
  const running = runHere(cli.folder, ['top'], { ...streams, terminal: terminal(complaints) })
  await shows(screen, streams.stdout, 'mode auto')
  await server.close()
  expect((await running).code).toBe(3)
  expect(raw()).toBe(false)
  expect(screen().endsWith(LEAVE)).toBe(true)
  expect(complaints).toEqual([expect.stringContaining('No supervisor listens')])
})

it('leaves the screen alone where nobody listens', async ({ cli }) => {
  const { streams, screen } = fakeTerminal()
  const { code } = await runHere(cli.folder, ['top'], { ...streams, terminal: terminal([]) })
  expect({ code, screen: screen() }).toEqual({ code: 3, screen: '' })
})

it.runIf(hasTerminals).for(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('leaves a real terminal as it was at %s', async (signal, { cli }) => {
  await cli.supervise()
  const top = follow(spawnOnTerminal(cli.folder, ['top']))
  await top.says('q quits')
  process.kill(Number(/PID (\d+)/.exec(top.output())?.[1]), signal)
  expect(await top.ends()).toEqual([0, null])
  const [before, after] = [top.output().split(ENTER)[0] ?? '', top.output().split(LEAVE)[1] ?? '']
  const settings = /^[\da-f]+(:[\da-f]+){10,}\r?$/m
  expect(settings.exec(after)?.[0]).toBe(settings.exec(before)?.[0])
  expect(before).toMatch(settings)
  expect(top.output()).toContain('\u001b[?25h')
})

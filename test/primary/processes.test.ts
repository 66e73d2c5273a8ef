import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const FORKS = fileURLToPath(new URL('./fixtures/fork-at-limit.ts', import.meta.url))

test('a primary at its descriptor limit says that it cannot fork, and can again once there is room', async () => {
  const { stdout } = await promisify(execFile)('prlimit', ['--nofile=64', process.execPath, FORKS], { timeout: 15_000, killSignal: 'SIGKILL' })
  const { messages, ...rest } = JSON.parse(stdout) as { messages: string[]; leaked: number; workerId: number; listed: number }
  expect(messages).toHaveLength(6)
  for (const message of messages) expect(message).toContain('EMFILE')
  expect(rest).toEqual({ leaked: 0, workerId: 7, listed: 1 })
})
